/// Commands need the address of the gateway that runs, also while its file has mistakes.
extension ConfigurationReader {
    /// Reads `admin` alone. Mistakes elsewhere in the file are not looked at, even those that make it no YAML.
    ///
    /// - Parameters:
    ///   - file: The name of the file, for messages.
    ///   - environment: The variables that `${NAME}` stands for.
    /// - Throws: `Failure`, never empty, if there are mistakes in `admin`, or it cannot be found.
    /// - Returns: `nil` where the file has none, or it is `off`.
    public static func readAdmin(
        bytes: [UInt8], file: String, environment: [String: String]
    ) throws(Failure) -> GatewayConfiguration.Admin? {
        let text = self.withoutMark(String(decoding: bytes, as: UTF8.self))
        let diagnostics = Diagnostics(file: file, text: text)
        if let root = DocumentComposer.compose(text, environment: environment, diagnostics: diagnostics) {
            return try self.admin(of: root, text, diagnostics)
        }
        // It is no YAML. `admin` itself may be.
        let others = Diagnostics(file: file, text: text)
        guard let block = self.adminBlock(of: text),
            let root = DocumentComposer.compose(block, environment: environment, diagnostics: others)
        else {
            guard !diagnostics.isEmpty else { return nil }
            throw Failure(diagnostics: diagnostics.inOrder)
        }
        return try self.admin(of: root, text, others)
    }

    /// - Parameter composed: The mistakes that were found so far, some of them perhaps in `admin`.
    private static func admin(
        of root: DocumentNode, _ text: String, _ composed: Diagnostics
    ) throws(Failure) -> GatewayConfiguration.Admin? {
        guard case .mapping(let entries) = root.content,
            let entry = entries.first(where: { $0.key == Keys.gateway.admin.name })
        else { return nil }
        // What the file lacks besides is reported at a place that no key has.
        let nowhere = Diagnostic.Position(line: 0, column: 0)
        let diagnostics = Diagnostics(file: composed.file, text: text)
        let mapping = MappingReader(
            DocumentNode(position: nowhere, content: .mapping([entry])), Keys.gateway.section, subject: "the file",
            diagnostics: diagnostics)
        let settings = mapping.flatMap { AdminSection.settings($0, listeners: [:]) }
        let end = entries.map(\.position).filter { entry.position < $0 }.min()
        let mistakes = (composed.inOrder + diagnostics.inOrder).filter { mistake in
            guard let position = mistake.position else { return false }
            return !(position < entry.position) && end.map { position < $0 } ?? true
        }
        guard mistakes.isEmpty else { throw Failure(diagnostics: mistakes) }
        return settings
    }

    /// The lines of the key `admin` at the margin, each at its place; `nil`: there is none.
    private static func adminBlock(of text: String) -> String? {
        var isInside = false
        var found = false
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
            if let first = line.unicodeScalars.first, ![" ", "\t", "#"].contains(first) {
                isInside = line.hasPrefix("\(Keys.gateway.admin.name):")
                found = found || isInside
            }
            return isInside ? line : ""
        }
        return found ? lines.joined(separator: "\n") : nil
    }
}
