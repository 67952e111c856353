internal import HTTP1

/// A configuration as it may be shown: without comments and secrets. Variables stay references, because what they stand for may be secret.
public enum ShownConfiguration {
    /// What stands in place of a secret.
    static let mark = "(secret)"

    /// The YAML text of a file.
    ///
    /// - Parameter bytes: What was read without mistakes.
    public static func text(of bytes: [UInt8]) -> String {
        let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
        let text = scalars.first == "\u{FEFF}" ? String(scalars.dropFirst()) : String(scalars)
        let root = DocumentComposer.compose(
            text, environment: nil, diagnostics: Diagnostics(file: "", text: text))
        guard let root else { return "" }
        return self.lines(of: root, Keys.gateway.section).map { $0 + "\n" }.joined()
    }

    /// - Parameters:
    ///   - section: That of the mappings; `nil`: their keys are names of the file's own.
    ///   - inner: With names: the section of the mapping under each.
    private static func lines(of node: DocumentNode, _ section: Section?, inner: Section? = nil) -> [String] {
        switch node.content {
        case .empty, .invalid: [""]
        case .scalar(let text): [self.scalar(self.withoutSecrets(self.withoutDefaults(text)))]
        case .list(let nodes) where nodes.isEmpty: ["[]"]
        case .list(let nodes):
            nodes.flatMap { node in
                self.lines(of: node, section, inner: inner).enumerated().map { ($0 == 0 ? "- " : "  ") + $1 }
            }
        case .mapping(let entries) where entries.isEmpty: ["{}"]
        case .mapping(let entries):
            entries.flatMap { entry in
                let row = section?.rows.first { $0.name == entry.key }
                return self.lines(of: entry, row, inner)
            }
        }
    }

    private static func lines(of entry: DocumentNode.Entry, _ row: (any KeyRow)?, _ inner: Section?) -> [String] {
        let key = self.scalar(entry.key)
        if row?.isSecret == true { return self.masked(entry, key) }
        let hasNames = row?.hasNames == true
        let lines = self.lines(
            of: entry.value, hasNames ? nil : row?.section ?? inner, inner: hasNames ? row?.section : nil)
        let isBlock =
            switch entry.value.content {
            case .list(let nodes): !nodes.isEmpty
            case .mapping(let entries): !entries.isEmpty
            case .empty, .scalar, .invalid: false
            }
        return isBlock ? ["\(key):"] + lines.map { "  " + $0 } : ["\(key): \(lines[0])"]
    }

    /// Names are shown, and no text.
    private static func masked(_ entry: DocumentNode.Entry, _ key: String) -> [String] {
        guard case .mapping(let entries) = entry.value.content else { return ["\(key): \(self.mark)"] }
        return ["\(key):"] + entries.map { "  \(self.scalar($0.key)): \(self.mark)" }
    }

    /// A text without what variables are where they are not set: `${NAME:-*}`.
    private static func withoutDefaults(_ text: String) -> String {
        var shown = ""
        var rest = text[...]
        while let start = rest.firstRange(of: "${"), let end = rest[start.upperBound...].firstIndex(of: "}") {
            let variable = rest[start.upperBound..<end]
            let name = variable.firstRange(of: ":-").map { variable[..<$0.lowerBound] + ":-*" } ?? variable
            shown += rest[..<start.upperBound] + name + "}"
            rest = rest[rest.index(after: end)...]
        }
        return shown + rest
    }

    /// A text without the user and the query of a URL in it. A path may have a query, too.
    private static func withoutSecrets(_ text: String) -> String {
        var text = text
        if !text.contains(where: \.isWhitespace), let query = text.firstIndex(of: "?") {
            text = text[..<query] + "?*"
        }
        guard let separator = text.firstRange(of: "://") else { return text }
        let rest = text[separator.upperBound...]
        let authority = rest.prefix { !"/?#".contains($0) }
        guard let at = authority.lastIndex(of: "@") else { return text }
        return text[..<separator.upperBound] + "*" + text[at...]
    }

    /// A text that YAML reads as it is, in quotes where it needs them.
    private static func scalar(_ text: String) -> String {
        let first = text.utf8.first
        let isPlain =
            text.utf8.allSatisfy { $0.isLetter || $0.isDigit || "_./:+*?@()${}-".utf8.contains($0) }
            && first.map { $0.isLetter || $0.isDigit || "/.$(".utf8.contains($0) } == true
            && text.utf8.last != UInt8(ascii: ":")
        if isPlain { return text }
        var quoted: [UInt8] = []
        quoted.append(quoted: text)
        return String(decoding: quoted, as: UTF8.self)
    }
}
