internal import HTTP1

/// Replaces `${NAME}` and `${NAME:-default}` in a scalar; `$${` stands for `${`.
struct Substitution {
    /// `nil`: the text stays as it is.
    let environment: [String: String]?

    /// The text with every reference replaced. A default is used where the variable is unset or empty, as in a shell.
    ///
    /// - Throws: A `Mistake` for an unset variable without a default and for a malformed reference.
    func replacing(_ text: String) throws(Mistake) -> String {
        guard let environment = self.environment, text.contains("${") else { return text }
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstRange(of: "${") {
            if rest[..<dollar.lowerBound].last == "$" {
                result += rest[..<dollar.lowerBound].dropLast() + "${"
                rest = rest[dollar.upperBound...]
                continue
            }
            result += rest[..<dollar.lowerBound]
            guard let end = rest[dollar.upperBound...].firstIndex(of: "}") else {
                throw Mistake("has `${` without `}`: write `$${` for a plain `${`")
            }
            result += try Self.value(of: rest[dollar.upperBound..<end], in: environment)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    /// Whether the whole text is one reference: where a list is wanted, its value is one, with commas.
    static func isOneReference(_ text: String) -> Bool {
        text.hasPrefix("${") && text.firstIndex(of: "}") == text.indices.last
    }

    /// The value of what stands between the braces.
    private static func value(
        of reference: Substring, in environment: [String: String]
    ) throws(Mistake) -> String {
        let separator = reference.firstRange(of: ":-")
        let name = reference[..<(separator?.lowerBound ?? reference.endIndex)]
        guard self.isName(name) else {
            throw Mistake("has `${\(reference)}`, which is not `${NAME}` or `${NAME:-default}`")
        }
        let value = environment[String(name)]
        guard let separator else {
            guard let value else {
                throw Mistake(
                    "needs the environment variable `\(name)`, which is not set: set it, or write `${\(name):-default}`"
                )
            }
            return value
        }
        let fallback = reference[separator.upperBound...]
        guard !fallback.contains("${") else { throw Mistake("has `${` within `${`: a default is plain text") }
        return value.flatMap { $0.isEmpty ? nil : $0 } ?? String(fallback)
    }

    /// A letter or `_`, then letters, digits and `_`: what a shell allows.
    private static func isName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, !first.isDigit else {
            return false
        }
        return name.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil || $0 == "_")
        }
    }
}
