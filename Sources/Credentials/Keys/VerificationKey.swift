internal import Configuration

/// A key that tokens are verified with.
struct VerificationKey: Sendable {
    /// What it is, and so what it can be used for.
    enum Material: Sendable {
        case secret([UInt8])
        case rsa(PublicKey)
        case elliptic(PublicKey, Curve)
        case ed25519(PublicKey)
    }

    /// `kid`: its name; `nil`: it has none.
    let id: String?
    /// `alg`: the only algorithm that it is for; `nil`: all of its kind.
    let algorithm: SignatureAlgorithm?
    let material: Material

    /// Whether it is meant for an algorithm. No key is used for an algorithm of another kind: else the public key of one, which everyone has,
    /// would be the secret of another (RFC 8725 section 3.1).
    func fits(_ algorithm: SignatureAlgorithm) -> Bool {
        guard self.algorithm == nil || self.algorithm == algorithm else { return false }
        return switch (algorithm.scheme, self.material) {
        case (.hmac, .secret(let secret)): secret.count >= algorithm.hashLength
        case (.rsa, .rsa), (.rsaPSS, .rsa), (.ed25519, .ed25519): true
        case (.ecdsa(let wanted), .elliptic(_, let curve)): wanted == curve
        case (.hmac, _), (.rsa, _), (.rsaPSS, _), (.ecdsa, _), (.ed25519, _): false
        }
    }
}
