/// `algorithms` of `jwt`: how a token is signed (RFC 7518 section 3.1, RFC 8037 section 3.1).
public enum SignatureAlgorithm: String, CaseIterable, Sendable {
    /// HMAC with SHA-256, SHA-384 or SHA-512: the key is a secret that the gateway shares with what makes the tokens.
    case hs256 = "HS256"
    case hs384 = "HS384"
    case hs512 = "HS512"
    /// RSASSA-PKCS1-v1_5.
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    /// RSASSA-PSS, with a salt as long as the hash.
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    /// ECDSA with the curves P-256, P-384 and P-521.
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    /// Ed25519.
    case edDSA = "EdDSA"

    /// The key is a secret, and not the public half of a pair.
    public var isSymmetric: Bool {
        switch self {
        case .hs256, .hs384, .hs512: true
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .es256, .es384, .es512, .edDSA: false
        }
    }
}
