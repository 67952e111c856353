/// A mistake that the YAML parser found, in our form, with a hint where a value lacks quotes.
struct SyntaxMistake: Error {
    private var position: Diagnostic.Position
    private var problem: String
    /// What was being read, and where it begins.
    private var context: (text: String, position: Diagnostic.Position)?

    init(_ problem: String, at position: Diagnostic.Position) {
        self.position = position
        self.problem = problem
    }

    /// - Parameters:
    ///   - context: what was being read.
    ///   - start: where that begins.
    init(_ problem: String, at position: Diagnostic.Position, _ context: String, begun start: Diagnostic.Position) {
        self.position = position
        self.problem = problem
        self.context = (context, start)
        self.reword()
    }

    func report(to diagnostics: Diagnostics) {
        var message = "not valid YAML: \(self.problem)"
        if let context {
            message += " \(context.text)"
            if context.position.line != self.position.line {
                message += " that begins on line \(context.position.line)"
            }
        }
        diagnostics.report(self.position, message + self.hint(in: diagnostics))
    }

    /// Rewords the parser's message, and moves it to the place that has to be changed.
    private mutating func reword() {
        if self.problem.hasPrefix("found unexpected end of stream"), let context {
            // The end of the file is not the place to change: the start of the unterminated value is.
            self.problem = "unterminated quote, list or mapping starts here"
            self.position = context.position
            self.context = nil
        }
        if self.context?.text == "while scanning for the next token" { self.context = nil }
    }

    // MARK: - Hints

    private func hint(in diagnostics: Diagnostics) -> String {
        for position in [self.position, self.context?.position].compactMap(\.self) {
            guard let line = diagnostics.line(position.line) else { continue }
            let scalars = Array(line.unicodeScalars)
            guard scalars.indices.contains(position.column - 1) else { continue }
            if scalars[position.column - 1] == "\t" { return ": indent with spaces, not with tabs" }
            if let value = Self.unquoted(scalars, at: position.column - 1) { return ": quote it, as in `\"\(value)\"`" }
        }
        return ""
    }

    /// The value around a place that lacks quotes: one that starts with a character that YAML reads differently, an IPv6 address, or a
    /// variable in a flow collection.
    private static func unquoted(_ line: [Unicode.Scalar], at index: Int) -> String? {
        let before = index > 0 ? line[index - 1] : " "
        switch line[index] {
        case "*", "@", "`", "%":
            return self.word(line, from: index)
        case ":" where before == "[":
            // `[::1]:80` is an address, `[::1]` a list of one.
            guard let end = line[index...].firstIndex(of: "]"), line[(end + 1)...].first == ":" else {
                return self.word(line, from: index)
            }
            return String(line[(index - 1)...end]) + self.word(line, from: end + 1)
        case ":":
            return self.word(line, from: index)
        case "{" where before == "$":
            guard let end = line[index...].firstIndex(of: "}") else { return nil }
            return String(line[(index - 1)...end]) + self.word(line, from: end + 1)
        default:
            return nil
        }
    }

    /// The characters up to one that ends a value in a list or mapping.
    private static func word(_ line: [Unicode.Scalar], from start: Int) -> String {
        String(line[start...].prefix { !" ,]}".unicodeScalars.contains($0) })
    }
}

extension String {
    fileprivate init(_ scalars: some Sequence<Unicode.Scalar>) {
        var view = UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }
}
