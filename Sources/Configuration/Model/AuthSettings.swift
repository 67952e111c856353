/// An entry of `auth:` of a route: a kind of credential that lets a client in.
public enum AuthSettings: Equatable, Sendable {
    /// A signed token (RFC 7519).
    case jwt(JWTSettings)
    /// A user and a password (RFC 7617).
    case basic(BasicSettings)
    /// Another service decides.
    case forward(ForwardSettings)
    /// A client certificate, which the listener has verified.
    case certificate(CertificateSettings)

    /// The names of the fields that it gives to backends.
    public var sentFields: [String] {
        switch self {
        case .jwt(let settings): settings.send.map(\.name)
        case .basic(let settings): settings.send.map(\.name)
        case .forward(let settings): settings.send
        case .certificate(let settings): settings.send.map(\.name)
        }
    }

    /// Where requests have it, in words of this type.
    var places: Set<String> {
        switch self {
        case .jwt(let settings): Set(settings.token.map(\.description))
        case .basic: ["basic"]
        case .forward: ["forward"]
        case .certificate: ["certificate"]
        }
    }

    /// Browsers send it without being told to, so that any page can use it.
    var isAmbient: Bool {
        switch self {
        case .jwt(let settings):
            settings.token.contains { place in
                if case .cookie = place { true } else { false }
            }
        case .basic, .forward, .certificate: true
        }
    }
}
