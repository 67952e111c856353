internal import HTTP1

/// Readers for the values of keys that are text.
enum Word {
    /// One of the words of an enum.
    static func of<Choice: RawRepresentable<String> & CaseIterable & SendableMetatype>(
        _ type: Choice.Type
    ) -> @Sendable (String) throws(Mistake) -> Choice {
        let words = Choice.allCases.map(\.rawValue)
        return { text throws(Mistake) in
            guard let choice = Choice(rawValue: text) else { throw self.mistake(text, among: words) }
            return choice
        }
    }

    /// `true` or `false`.
    static func truth(_ text: String) throws(Mistake) -> Bool {
        switch text {
        case "true": true
        case "false": false
        case "yes", "on": throw .expected("`true` or `false`", not: text, hint: "did you mean `true`?")
        case "no", "off": throw .expected("`true` or `false`", not: text, hint: "did you mean `false`?")
        default: throw self.mistake(text, among: ["true", "false"])
        }
    }

    /// The path of a file.
    static func path(_ text: String) throws(Mistake) -> String {
        guard !text.isEmpty, !text.utf8.contains(0) else { throw .expected("the path of a file", not: text) }
        return text
    }

    /// The permissions of a file, as chmod(1) takes them in digits: `660` or `0660`.
    static func mode(_ text: String) throws(Mistake) -> UInt16 {
        let isOctal = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
        guard isOctal, (3...4).contains(text.utf8.count), let mode = UInt16(text, radix: 8), mode <= 0o777 else {
            throw .expected("the permissions of a file in octal digits, such as `\"0660\"`", not: text)
        }
        return mode
    }

    /// A secret. The message does not say it.
    static func secret(_ text: String) throws(Mistake) -> String {
        guard !text.isEmpty else { throw Mistake("must not be empty: leave it out for none") }
        return text
    }

    /// The target of a request: a path, and perhaps a query (RFC 9112 section 3.2.1).
    static func target(_ text: String) throws(Mistake) -> String {
        guard text.hasPrefix("/") else {
            throw .expected("a path such as `/health`", not: text, hint: "it must start with `/`")
        }
        guard text.utf8.allSatisfy({ $0.isVisible && $0 != UInt8(ascii: "#") }) else {
            throw .expected("a path such as `/health`", not: text, hint: NormalPath.Flaw.character.hint)
        }
        if let flaw = NormalPath.flaw(ofSent: text.prefix { $0 != "?" }) {
            throw .expected("a path such as `/health`", not: text, hint: flaw.hint)
        }
        return text
    }

    /// The value of a Host field: a host, with or without a port.
    ///
    /// - Parameter others: The words that may stand in its place, for the message.
    static func authority(_ text: String, or others: String = "") throws(Mistake) -> String {
        do {
            _ = try Address.split(text, for: .connect)
            return text
        } catch {
            throw .expected(
                others.isEmpty ? "a host name, with or without a port" : "\(others) or a host name", not: text)
        }
    }

    /// The value of a header field (RFC 9110 section 5.5), in ASCII. It may be a secret: the message does not say it.
    static func fieldValue(_ text: String) throws(Mistake) -> String {
        let isWhole = text.utf8.first?.isVisible != false && text.utf8.last?.isVisible != false
        guard isWhole, text.utf8.allSatisfy({ $0.isVisible || $0 == UInt8(ascii: " ") }) else {
            throw Mistake("must be one line of printable ASCII, without spaces at its ends")
        }
        return text
    }

    /// A media type, perhaps with parameters (RFC 9110 section 8.3.1).
    static func mediaType(_ text: String) throws(Mistake) -> String {
        let text = try self.fieldValue(text)
        let parts = text.prefix { $0 != ";" && $0 != " " }.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isToken) }) else {
            throw .expected("a media type such as `text/plain` or `application/json`", not: text)
        }
        return text
    }

    /// The name of a subprotocol: a token (RFC 6455 section 4.1, RFC 9110 section 5.6.2).
    static func subprotocol(_ text: String) throws(Mistake) -> String {
        guard text.utf8.allSatisfy(\.isToken), !text.isEmpty else {
            throw .expected("a subprotocol such as `chat.v2`, without spaces and separators", not: text)
        }
        return text
    }

    /// A name that stands in logs and as a label: printable, without spaces and quotes.
    static func name(_ text: String) throws(Mistake) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            !scalar.properties.isWhitespace && !"\"\\`".unicodeScalars.contains(scalar)
                && scalar.properties.generalCategory != .control && scalar.properties.generalCategory != .format
        }
        guard isPlain, (1...100).contains(text.utf8.count), text != "-" else {
            throw .expected("a name of up to 100 characters without spaces and quotes", not: text)
        }
        return text
    }

    /// What names of keys begin with: nothing that stands for others in a pattern of Redis, and no hash tag.
    static func prefix(_ text: String) throws(Mistake) -> String {
        let isPlain = text.utf8.allSatisfy { $0.isLetter || $0.isDigit || "-._:".utf8.contains($0) }
        guard isPlain, (1...64).contains(text.utf8.count) else {
            throw .expected("up to 64 letters, digits and signs of `-._:`", not: text)
        }
        return text
    }

    /// "must be `a`, `b` or `c`, not `x`", with the nearest of them.
    static func mistake(_ text: String, among words: [String]) -> Mistake {
        let choice = self.choice(of: words.map { "`\($0)`" })
        return Mistake("must be \(choice), not `\(text)`" + KeySuggestion.hint(for: text, among: words))
    }

    /// "a, b or c"
    static func choice(of words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.joined() }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}
