internal import HTTP1

/// `keys` of `jwt`: where the keys are that tokens are verified with, a JWK Set (RFC 7517 section 5).
public enum KeySource: Hashable, Sendable {
    /// The path of a file.
    case file(String)
    /// An `https` URL.
    ///
    /// - ca: a PEM file of the authorities that its server is verified with; `nil`: the system's.
    case url(WebURL, ca: String?)

    /// Reads the path of a file, or an `https` URL.
    ///
    /// - Throws: A `Mistake` for other URLs: whatever answers an `http` URL could make its own tokens.
    init(parsing text: String) throws(Mistake) {
        guard text.contains("://") else {
            self = .file(try Word.path(text))
            return
        }
        guard text.prefix(8).equalsIgnoringCase("https://") else {
            throw .expected(
                "the path of a file or an `https` URL", not: text,
                hint: text.prefix(7).equalsIgnoringCase("http://")
                    ? "keys that come without TLS could be those of anyone" : nil)
        }
        self = .url(try WebURL(parsing: text), ca: nil)
    }
}
