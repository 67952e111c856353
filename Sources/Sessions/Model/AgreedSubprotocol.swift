/// The subprotocol of a session, as far as it is remembered.
public enum AgreedSubprotocol: Equatable, Sendable {
    case none
    /// A name that may be shown.
    case named(String)
    /// The credential that the client offered: a backend may answer with it.
    case hidden

    /// What logs and tables say.
    public var shown: String? {
        if case .named(let name) = self { name } else { nil }
    }
}
