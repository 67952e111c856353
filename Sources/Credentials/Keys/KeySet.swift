internal import Configuration

/// The keys that a route verifies tokens with: a JWK Set (RFC 7517 section 5).
public struct KeySet: Sendable {
    /// Where a set comes from.
    public enum Origin: Sendable {
        /// A file that the operator wrote. It may have secrets.
        case file
        /// A URL, which others can ask, too.
        case url
    }

    /// Why a set cannot be used at all.
    public struct Mistake: Error, Equatable, Sendable, CustomStringConvertible {
        /// The end of a sentence that begins with the file or the URL: "has no key that can be used".
        public let description: String

        init(_ description: String) {
            self.description = description
        }
    }

    /// How many bytes a set may have.
    public static let mostBytes = 256 << 10

    let keys: [VerificationKey]
    /// How many keys can be used.
    public var count: Int { self.keys.count }
    /// What is wrong with single keys, as sentences. Those that cannot be used are left out, as section 5 has it.
    public let warnings: [String]

    /// Reads a JWK Set.
    ///
    /// - Throws: `Mistake` for what is no JWK Set, and for one without a key that can be used.
    public init(parsing bytes: [UInt8], from origin: Origin) throws(Mistake) {
        var keys: [VerificationKey] = []
        var warnings: [String] = []
        for (index, value) in try Self.elements(of: bytes).enumerated() {
            let label = "key \(index + 1)" + (Self.id(of: value).map { " (kid \($0))" } ?? "")
            do throws(KeyFlaw) {
                guard case .object(let object) = value else { throw KeyFlaw("is no JSON object") }
                let key = try VerificationKey(object, from: origin)
                if Self.hasPrivatePart(object) { warnings.append("\(label) has its private part in it: remove that") }
                if let id = key.id, keys.contains(where: { $0.id?.isExactly(id) == true }) {
                    warnings.append("\(label) has the name of another key: both are tried")
                }
                keys.append(key)
            } catch {
                warnings.append("\(label) is left out: it \(error.problem)")
            }
        }
        guard !keys.isEmpty else {
            let reasons = warnings.map { "; \($0)" }.joined()
            throw Mistake("has no key that can be used\(reasons)")
        }
        self.keys = keys
        self.warnings = warnings
    }

    private static func elements(of bytes: [UInt8]) throws(Mistake) -> [JSONValue] {
        let set: JSONObject
        do {
            set = try JSONReader.object(bytes, most: self.mostBytes)
        } catch {
            let isPEM = bytes.starts(with: "-----BEGIN".utf8)
            throw Mistake("is no JWK Set: it \(isPEM ? "is PEM; make JSON of it" : error.description)")
        }
        switch set["keys"] {
        case .array(let elements): return elements
        case nil where set["kty"] != nil: throw Mistake("is one key and no JWK Set: write {\"keys\": […]} around it")
        default: throw Mistake("is no JWK Set: it has no list `keys`")
        }
    }

    private static func id(of key: JSONValue) -> String? {
        if case .object(let object) = key { object["kid"]?.text } else { nil }
    }

    private static func hasPrivatePart(_ key: JSONObject) -> Bool { key["d"] != nil }

    /// The keys that may have signed a token.
    ///
    /// - Parameter id: the token's `kid`. A key without a name may have any; without a `kid` every key may be meant.
    func candidates(for algorithm: SignatureAlgorithm, id: String?) -> [VerificationKey] {
        self.keys.filter { key in
            guard key.fits(algorithm) else { return false }
            guard let id, let name = key.id else { return true }
            return name.isExactly(id)
        }
    }
}
