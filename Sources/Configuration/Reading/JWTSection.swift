internal import HTTP1

/// `jwt:` of `auth`.
enum JWTSection {
    /// `nil` where a key that it needs is missing or wrong, which is reported.
    static func settings(_ mapping: MappingReader) -> JWTSettings? {
        let keys = self.keys(mapping)
        let algorithms = self.algorithms(mapping, with: keys)
        let issuers = mapping.oneOrMore(Keys.jwt.issuer, hint: "leave it out for any") ?? []
        let audience = mapping.oneOrMore(Keys.jwt.audience, hint: "write `any` for any").flatMap {
            self.audience($0, mapping)
        }
        let changes = mapping.changes(to: JWTSettings.self)
        let requirements = self.requirements(mapping)
        let token = self.places(mapping)
        let send = AuthSection.sent(mapping, Keys.jwt.send) { text throws(Mistake) in
            guard !text.isEmpty else { throw Mistake("must be the name of a claim") }
            return text
        }
        guard let keys, let audience, !algorithms.isEmpty else { return nil }
        var settings = JWTSettings(keys: keys, algorithms: algorithms, audience: audience)
        changes.apply(to: &settings)
        settings.issuers = issuers
        settings.requirements = requirements
        settings.token = token ?? settings.token
        settings.send = send
        return settings
    }

    private static func keys(_ mapping: MappingReader) -> KeySource? {
        let keys = mapping.value(Keys.jwt.keys)
        let ca = mapping.mapping(Keys.jwt.tls)?.value(Keys.authTLS.ca)
        switch keys {
        case .url(let url, _): return .url(url, ca: ca)
        case .file: mapping.report(Keys.jwt.tls, "is for an `https` URL: leave it out")
        case nil: break
        }
        return keys
    }

    private static func algorithms(_ mapping: MappingReader, with keys: KeySource?) -> [SignatureAlgorithm] {
        let key = Keys.jwt.algorithms
        var seen: Set<SignatureAlgorithm> = []
        return mapping.values(of: mapping.filledNodes(key) ?? [], in: key) { text throws(Mistake) in
            guard text.lowercased() != "none" else {
                throw Mistake("cannot be `\(text)`: anyone can make such a token")
            }
            if let meant = SignatureAlgorithm.allCases.first(where: { $0.rawValue.equalsIgnoringCase(text) }),
                meant.rawValue != text
            {
                throw .expected("an algorithm", not: text, hint: "did you mean `\(meant.rawValue)`?")
            }
            let algorithm = try key.type.read(text)
            guard seen.insert(algorithm).inserted else { throw Mistake("is a duplicate: `\(text)`") }
            if algorithm.isSymmetric, case .url = keys {
                throw Mistake(
                    "cannot be `\(text)` with `keys` from a URL: its key is a secret, which belongs in a file")
            }
            return algorithm
        }
    }

    private static func audience(_ names: [String], _ mapping: MappingReader) -> JWTSettings.Audience? {
        guard names.contains("any") else { return names.isEmpty ? nil : .oneOf(names) }
        guard names.count == 1 else {
            mapping.report(Keys.jwt.audience, "has `any` beside others: leave one of them out")
            return nil
        }
        return .any
    }

    private static func requirements(_ mapping: MappingReader) -> [JWTSettings.Requirement] {
        let key = Keys.jwt.require
        guard let node = mapping.entry(key)?.value,
            let entries = node.entries(subject: "`\(key.name)`", diagnostics: mapping.diagnostics)
        else { return [] }
        return entries.compactMap { entry in
            entry.value.value(subject: "`\(entry.key)`", diagnostics: mapping.diagnostics) { text throws(Mistake) in
                guard !text.isEmpty else { throw Mistake("must not be empty") }
                return JWTSettings.Requirement(claim: entry.key, value: text)
            }
        }
    }

    private static func places(_ mapping: MappingReader) -> [TokenPlace]? {
        let key = Keys.jwt.token
        guard let nodes = mapping.filledNodes(key, hint: "leave it out for `[header]`") else { return nil }
        var places: [TokenPlace] = []
        for node in nodes {
            let place = node.value(subject: "an entry of `\(key.name)`", diagnostics: mapping.diagnostics) {
                text throws(Mistake) in
                let place = try key.type.read(text)
                guard !places.contains(place) else { throw Mistake("is a duplicate: `\(text)`") }
                return place
            }
            guard let place else { continue }
            places.append(place)
            if case .query = place {
                mapping.diagnostics.warn(
                    node.position,
                    "`\(place)` takes tokens from URLs, which browsers and other servers keep in histories and logs")
            }
        }
        return places
    }
}
