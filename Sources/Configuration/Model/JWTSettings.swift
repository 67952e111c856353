/// `jwt:` a signed token.
public struct JWTSettings: Equatable, Sendable, KeyedSettings {
    /// `audience`: which tokens are meant for this route.
    public enum Audience: Equatable, Sendable {
        /// All of them.
        case any
        /// Those with one of these in `aud`. Never empty.
        case oneOf([String])
    }

    /// An entry of `require`.
    public struct Requirement: Equatable, Sendable {
        /// The name of the claim.
        public var claim: String
        /// What it must be, or contain.
        public var value: String

        /// Any two texts.
        public init(claim: String, value: String) {
            self.claim = claim
            self.value = value
        }
    }

    /// `keys` and `tls`: where the keys are.
    public var keys: KeySource
    /// `algorithms`: those that a token may be signed with. Never empty.
    public var algorithms: [SignatureAlgorithm]
    /// `issuer`: one of these must be `iss`; empty: it is not checked.
    public var issuers: [String] = []
    /// `audience`
    public var audience: Audience
    /// `leeway`: how far other clocks may be off.
    public var leeway = Keys.jwt.leeway.default
    /// `expires`: whether a token needs `exp`.
    public var expires = Keys.jwt.expires.default
    /// `require`: all of these must hold.
    public var requirements: [Requirement] = []
    /// `token`: where a request may have its token. Never empty. The first of them that has one decides.
    public var token: [TokenPlace] = [.header]
    /// `send`: claims that backends get.
    public var send: [SentField<String>] = []

    /// Settings in which every other key is absent.
    public init(keys: KeySource, algorithms: [SignatureAlgorithm], audience: Audience) {
        self.keys = keys
        self.algorithms = algorithms
        self.audience = audience
    }

    static let fields = [Field(Keys.jwt.leeway, \Self.leeway), Field(Keys.jwt.expires, \.expires)]
}
