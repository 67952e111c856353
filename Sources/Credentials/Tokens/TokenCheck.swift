public import Configuration
internal import HTTP1

/// Decides what a token is worth (RFC 7519) by the rules of a route.
public struct TokenCheck: Sendable {
    private let settings: JWTSettings

    /// - Parameter settings: The rules, `jwt` of the route. Where the keys are is not looked at.
    public init(_ settings: JWTSettings) {
        self.settings = settings
    }

    /// What a token is worth.
    ///
    /// - Parameters:
    ///   - token: as the client sent it.
    ///   - keys: those that are in force.
    ///   - now: seconds since 1970.
    public func verdict(on token: String, keys: KeySet, now: Int64) -> Verdict {
        do {
            let claims = Claims(try self.verified(token, keys: keys).claims())
            let expires = try self.expiry(claims, now: now)
            try self.checkStart(claims, now: now)
            try self.checkIssuer(claims)
            try self.checkAudience(claims)
            let subject = try claims.text("sub")
            if let missing = self.settings.requirements.first(where: { !claims.meets($0) }) {
                return .forbidden("the token's \(missing.claim) is not \(missing.value)")
            }
            return .granted(Grant(subject: subject, fields: try self.fields(claims), expires: expires))
        } catch {
            return .refused(error)
        }
    }

    /// The token, if one of the keys has signed it in one of the route's algorithms.
    func verified(_ token: String, keys: KeySet) throws(Flaw) -> CompactJWS {
        let token = try CompactJWS(token)
        // The route decides on the algorithm; the token only says which of the route's it is.
        guard let algorithm = self.settings.algorithms.first(where: { $0.rawValue.isExactly(token.algorithm) }) else {
            throw .algorithm(token.algorithm)
        }
        let candidates = keys.candidates(for: algorithm, id: token.keyID)
        guard !candidates.isEmpty else { throw .unknownKey(token.keyID) }
        let isRight = candidates.contains { Signature.isRight(token.signature, of: token.signed, algorithm, $0) }
        guard isRight else { throw .signature }
        return token
    }

    // MARK: - Time

    /// Times are compared in whole seconds, so that a part of one counts as one.
    private var leeway: Int64 {
        let parts = self.settings.leeway.components
        return parts.seconds + (parts.attoseconds > 0 ? 1 : 0)
    }

    /// The second from which on the token is not good any more (RFC 7519 section 4.1.4), with the leeway.
    private func expiry(_ claims: Claims, now: Int64) throws(Flaw) -> Int64? {
        guard let expires = try claims.time("exp") else {
            guard self.settings.expires == .optional else { throw .claim("the token has no exp") }
            return nil
        }
        guard now < expires + self.leeway else { throw .expired(by: now - expires) }
        return expires + self.leeway
    }

    private func checkStart(_ claims: Claims, now: Int64) throws(Flaw) {
        for name in ["nbf", "iat"] {
            guard let start = try claims.time(name), now + self.leeway < start else { continue }
            throw .early(claim: name, by: start - now)
        }
    }

    // MARK: - Names

    private func checkIssuer(_ claims: Claims) throws(Flaw) {
        guard !self.settings.issuers.isEmpty else { return }
        guard let issuer = try claims.text("iss") else { throw .claim("the token has no iss") }
        guard self.settings.issuers.contains(where: issuer.isExactly) else {
            throw .claim("the token's iss is \(issuer)")
        }
    }

    /// One text, or a list of them (RFC 7519 section 4.1.3).
    private func checkAudience(_ claims: Claims) throws(Flaw) {
        guard case .oneOf(let wanted) = self.settings.audience else { return }
        let audiences: [String]
        switch claims["aud"] {
        case nil: throw .claim("the token has no aud")
        case .string(let text): audiences = [text]
        case let value?:
            guard let texts = value.texts else { throw .claim("the token's aud is no text and no list of texts") }
            audiences = texts
        }
        guard audiences.contains(where: { audience in wanted.contains(where: audience.isExactly) }) else {
            throw .claim("the token's aud is \(audiences.joined(separator: ", "))")
        }
    }

    // MARK: - Fields

    private func fields(_ claims: Claims) throws(Flaw) -> HTTPFields {
        var fields = HTTPFields()
        for field in self.settings.send {
            guard let value = try claims.fieldValue(field.source) else { continue }
            fields.append(field.name, utf8: value)
        }
        return fields
    }
}
