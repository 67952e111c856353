public import HTTP1

/// A user and a password (RFC 7617).
public struct BasicCredential: Equatable, Sendable {
    /// Without control characters.
    public let user: String
    /// Likewise, in UTF-8.
    let password: String

    /// What there is in a request.
    public enum Finding: Equatable, Sendable {
        /// No field of this scheme.
        case absent
        /// A user and a password.
        case credential(BasicCredential)
        /// The field cannot be read: 401.
        case refused(Flaw)
    }

    /// How many bytes of a password are hashed: crypt(3) takes no more than 511.
    private static let longestPassword = 511

    /// Looks for a user and a password.
    ///
    /// - Parameter fields: those of the request.
    public static func find(in fields: HTTPFields) -> Finding {
        let values = fields.values("Authorization").compactMap { AuthorizationField.rest(of: $0, scheme: "Basic") }
        guard let value = values.first else { return .absent }
        guard values.count == 1 else { return .refused(.malformed("there are several fields Authorization")) }
        do {
            return .credential(try BasicCredential(value))
        } catch {
            return .refused(error)
        }
    }

    /// - Parameter value: What follows the scheme: user, colon and password in base64.
    private init(_ value: String) throws(Flaw) {
        guard let bytes = Base64.decoded(value.utf8, .standard) else {
            throw .malformed("user and password are no base64")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformed("user and password are not UTF-8")
        }
        // A zero would end the password for crypt(3), which then takes the beginning for all of it.
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw .malformed("user or password has control characters")
        }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else {
            throw .malformed("there is no colon behind the user")
        }
        self.user = String(text[..<colon])
        self.password = String(text[text.utf8.index(after: colon)...])
        guard self.password.utf8.count <= Self.longestPassword else { throw .malformed("the password is too long") }
    }
}
