internal import HTTP1

/// A signed token as it is sent (RFC 7515 section 7.1): header, payload and signature in base64url, with dots between them. Nothing of it is
/// known to be true.
struct CompactJWS {
    /// `alg`: how it says it is signed.
    let algorithm: String
    /// `kid`: the name of the key; `nil`: none is named.
    let keyID: String?
    let payload: [UInt8]
    let signature: [UInt8]
    /// What is signed: header and payload as they are sent.
    let signed: [UInt8]

    /// How many bytes the header or the payload may have.
    static let mostBytes = 64 << 10

    /// Reads a token. Where its header says that there is a key in it or beside it (`jwk`, `jku`, `x5c`, `x5u`), that is ignored: whatever
    /// made the token could have made the key (RFC 8725 section 3.10).
    init(_ token: String) throws(Flaw) {
        let parts = token.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count != 5 else { throw .malformed("the token is encrypted") }
        guard parts.count == 3 else {
            throw .malformed("the token has \(parts.count) part\(parts.count == 1 ? "" : "s") instead of 3")
        }
        let header = try Self.object(parts[0], "header")
        for name in ["crit", "b64"] where header[name] != nil {
            // Extensions that have to be understood (section 4.1.11), and payloads that are not encoded (RFC 7797).
            throw .malformed("the token's header has `\(name)`")
        }
        guard let algorithm = header["alg"]?.text else { throw .malformed("the token's header has no `alg`") }
        guard algorithm.asciiLowercased != "none" else { throw .malformed("the token is not signed") }
        self.algorithm = algorithm
        switch header["kid"] {
        case nil: self.keyID = nil
        case .string(let id): self.keyID = id
        default: throw .malformed("the token's `kid` is no text")
        }
        guard let payload = Base64.decoded(parts[1], .url) else {
            throw .malformed("the token's payload is no base64url")
        }
        guard let signature = Base64.decoded(parts[2], .url) else {
            throw .malformed("the token's signature is no base64url")
        }
        guard !signature.isEmpty else { throw .malformed("the token has no signature") }
        self.payload = payload
        self.signature = signature
        self.signed = parts[0] + [UInt8(ascii: ".")] + parts[1]
    }

    /// The JSON object in a part.
    private static func object(_ part: Substring.UTF8View, _ name: String) throws(Flaw) -> JSONObject {
        guard let bytes = Base64.decoded(part, .url) else { throw .malformed("the token's \(name) is no base64url") }
        return try self.object(bytes, name)
    }

    /// The JSON object in the payload.
    func claims() throws(Flaw) -> JSONObject { try Self.object(self.payload, "payload") }

    private static func object(_ bytes: [UInt8], _ name: String) throws(Flaw) -> JSONObject {
        do {
            return try JSONReader.object(bytes, most: self.mostBytes)
        } catch {
            throw .malformed("the token's \(name) \(error)")
        }
    }
}
