/// The subprotocol of a session, as logs and tables may show it.
public enum AgreedSubprotocol: Equatable, Sendable {
    case none
    /// A name that may be shown.
    case named(String)
    /// The client's credential, which a backend may choose: it is not kept.
    case hidden

    /// The name for logs and tables; `nil` if there is none or it is hidden.
    public var shown: String? {
        if case .named(let name) = self { name } else { nil }
    }
}
