/// `expires` of `jwt`: whether a token has to say when it expires.
public enum TokenExpiry: String, CaseIterable, Sendable {
    /// A token without `exp` is refused.
    case required
    /// A token without `exp` is good for ever.
    case optional
}
