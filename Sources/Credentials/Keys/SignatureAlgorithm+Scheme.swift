internal import Configuration

extension SignatureAlgorithm {
    /// How a signature is made.
    enum Scheme: Equatable {
        case hmac
        /// RSASSA-PKCS1-v1_5
        case rsa
        case rsaPSS
        case ecdsa(Curve)
        case ed25519
    }

    /// RFC 7518 sections 3.2 to 3.5, RFC 8037 section 3.1.
    var scheme: Scheme {
        switch self {
        case .hs256, .hs384, .hs512: .hmac
        case .rs256, .rs384, .rs512: .rsa
        case .ps256, .ps384, .ps512: .rsaPSS
        case .es256: .ecdsa(.p256)
        case .es384: .ecdsa(.p384)
        case .es512: .ecdsa(.p521)
        case .edDSA: .ed25519
        }
    }

    /// libcrypto's name of the hash. Ed25519 has its own.
    var hash: String {
        switch self {
        case .hs256, .rs256, .ps256, .es256: "SHA256"
        case .hs384, .rs384, .ps384, .es384: "SHA384"
        case .hs512, .rs512, .ps512, .es512, .edDSA: "SHA512"
        }
    }

    /// In bytes. A secret for HMAC must not be shorter (RFC 7518 section 3.2).
    var hashLength: Int {
        switch self.hash {
        case "SHA256": 32
        case "SHA384": 48
        default: 64
        }
    }
}
