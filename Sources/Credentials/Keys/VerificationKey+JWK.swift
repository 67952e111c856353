internal import Configuration
internal import HTTP1

/// Reads a JWK (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2). Members that are not known are ignored, and certificates (`x5c`,
/// `x5u`) as well.
extension VerificationKey {
    /// RSA moduli in bits. Shorter ones can be factored; longer ones take too long.
    private static let bits = 2048...8192

    init(_ key: JSONObject, from origin: KeySet.Origin) throws(KeyFlaw) {
        let kind = try Self.text("kty", of: key)
        guard let kind else { throw KeyFlaw("has no `kty`") }
        self.id = try Self.text("kid", of: key)
        try Self.checkUse(key)
        self.algorithm = try Self.algorithm(key)
        switch kind {
        case "RSA": self.material = .rsa(try Self.rsa(key))
        case "EC": self.material = try Self.elliptic(key)
        case "OKP": self.material = .ed25519(try Self.ed25519(key))
        case "oct": self.material = .secret(try Self.secret(key, for: self.algorithm, from: origin))
        default: throw KeyFlaw("is of the unknown kind `\(kind)`")
        }
        guard SignatureAlgorithm.allCases.contains(where: self.fits) else {
            throw KeyFlaw("has the `alg` `\(self.algorithm?.rawValue ?? "")`, which is not for its kind")
        }
    }

    // MARK: - What it is for

    private static func checkUse(_ key: JSONObject) throws(KeyFlaw) {
        if let use = try self.text("use", of: key), use != "sig" {
            throw KeyFlaw("is for the use `\(use)`, and not for signatures")
        }
        guard let operations = key["key_ops"] else { return }
        guard let names = operations.texts else { throw KeyFlaw("has `key_ops` that are no list of texts") }
        guard Set(names).count == names.count else { throw KeyFlaw("has an entry of `key_ops` twice") }
        guard names.contains("verify") else { throw KeyFlaw("may not verify, as `key_ops` says") }
    }

    private static func algorithm(_ key: JSONObject) throws(KeyFlaw) -> SignatureAlgorithm? {
        guard let name = try self.text("alg", of: key) else { return nil }
        guard let algorithm = SignatureAlgorithm.allCases.first(where: { $0.rawValue.isExactly(name) }) else {
            throw KeyFlaw("is for the algorithm `\(name)`, which no token can be signed with here")
        }
        return algorithm
    }

    // MARK: - Kinds

    private static func rsa(_ key: JSONObject) throws(KeyFlaw) -> PublicKey {
        let modulus = Array(try self.bytes("n", of: key).drop { $0 == 0 })
        let exponent = Array(try self.bytes("e", of: key).drop { $0 == 0 })
        let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
        guard bits >= self.bits.lowerBound else {
            throw KeyFlaw("has a modulus of \(bits) bits, and \(self.bits.lowerBound) are the least")
        }
        guard bits <= self.bits.upperBound else {
            throw KeyFlaw("has a modulus of \(bits) bits, and \(self.bits.upperBound) are the most")
        }
        // 1 would leave every message as it is; a long one takes too long.
        guard exponent.count <= 8, let last = exponent.last, last & 1 == 1, exponent != [1] else {
            throw KeyFlaw("has an exponent that is even, 1 or longer than 8 bytes")
        }
        guard !WeakModulus.matches(modulus) else {
            throw KeyFlaw("was made by a broken generator (CVE-2017-15361): everyone can compute its private part")
        }
        guard let made = PublicKey.rsa(modulus: modulus, exponent: exponent) else { throw KeyFlaw("is no RSA key") }
        return made
    }

    private static func elliptic(_ key: JSONObject) throws(KeyFlaw) -> Material {
        let name = try self.text("crv", of: key) ?? ""
        guard let curve = Curve(rawValue: name) else { throw KeyFlaw("has the unknown curve `\(name)`") }
        let (x, y) = (try self.bytes("x", of: key), try self.bytes("y", of: key))
        guard x.count == curve.size, y.count == curve.size else {
            throw KeyFlaw("has coordinates that are not of \(curve.size) bytes each, as \(curve.rawValue) has them")
        }
        guard let made = PublicKey.elliptic(group: curve.rawValue, point: [4] + x + y) else {
            throw KeyFlaw("is no point of the curve \(curve.rawValue)")
        }
        return .elliptic(made, curve)
    }

    private static func ed25519(_ key: JSONObject) throws(KeyFlaw) -> PublicKey {
        let name = try self.text("crv", of: key) ?? ""
        guard name == "Ed25519" else { throw KeyFlaw("has the curve `\(name)`, and only Ed25519 can sign tokens here") }
        guard let made = PublicKey.ed25519(try self.bytes("x", of: key)) else { throw KeyFlaw("is no Ed25519 key") }
        return made
    }

    private static func secret(
        _ key: JSONObject, for algorithm: SignatureAlgorithm?, from origin: KeySet.Origin
    ) throws(KeyFlaw) -> [UInt8] {
        guard origin == .file else { throw KeyFlaw("is a secret, which no URL may give away") }
        let secret = try self.bytes("k", of: key)
        let least = (algorithm ?? .hs256).hashLength
        guard secret.count >= least else {
            throw KeyFlaw("is a secret of \(secret.count) bytes, and \(least) are the least")
        }
        return secret
    }

    // MARK: - Members

    private static func text(_ name: String, of key: JSONObject) throws(KeyFlaw) -> String? {
        guard let value = key[name] else { return nil }
        guard let text = value.text else { throw KeyFlaw("has a `\(name)` that is no text") }
        return text
    }

    private static func bytes(_ name: String, of key: JSONObject) throws(KeyFlaw) -> [UInt8] {
        guard let text = try self.text(name, of: key) else { throw KeyFlaw("has no `\(name)`") }
        guard let bytes = Base64.decoded(text.utf8, .url) else { throw KeyFlaw("has a `\(name)` that is no base64url") }
        return bytes
    }
}
