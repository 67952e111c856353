/// Duplicate keys that are renamed in the text. The parser stops at the first duplicate; once it is renamed, the parser reads on and finds
/// the others. A new name is as long as the old one, so that places stay right.
struct HiddenKeys {
    private var names: [Diagnostic.Position: String] = [:]

    /// The name that was written at the place of a hidden key.
    func name(at position: Diagnostic.Position) -> String? {
        self.names[position]
    }

    /// Renames one key.
    ///
    /// - Returns: Whether it was renamed. It is not if it is written with escapes, or if no new names are left.
    mutating func hide(_ name: String, at position: Diagnostic.Position, in text: inout String) -> Bool {
        // Characters for private use: YAML allows them in a key, and files do not have them. Each hidden key gets its own.
        guard !name.isEmpty, self.names.count < 256, let scalar = Unicode.Scalar(0xE000 + UInt32(self.names.count)),
            self.names[position] == nil, var start = Self.index(of: position, in: text)
        else { return false }
        let scalars = text.unicodeScalars
        if scalars[start] == "\"" || scalars[start] == "'" { start = scalars.index(after: start) }
        guard scalars[start...].starts(with: name.unicodeScalars) else { return false }
        let end = scalars.index(start, offsetBy: name.unicodeScalars.count)
        let replacement = Array(repeating: scalar, count: name.unicodeScalars.count)
        text.unicodeScalars.replaceSubrange(start..<end, with: replacement)
        self.names[position] = name
        return true
    }

    private static func index(of position: Diagnostic.Position, in text: String) -> String.Index? {
        let scalars = text.unicodeScalars
        var line = scalars.startIndex
        for _ in 1..<position.line {
            guard let end = scalars[line...].firstIndex(of: "\n") else { return nil }
            line = scalars.index(after: end)
        }
        guard let index = scalars.index(line, offsetBy: position.column - 1, limitedBy: scalars.endIndex),
            index < scalars.endIndex
        else { return nil }
        return index
    }
}
