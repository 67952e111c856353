internal import Yams

/// What the YAML parser refuses, in our form, with a hint where a value lacks quotes.
struct SyntaxMistake {
    private let position: SourcePosition
    private let problem: String
    private let context: YamlError.Context?

    init(_ error: any Error) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            self.position = SourcePosition(mark)
            self.problem = problem
            self.context = context
        default:
            self.position = SourcePosition(line: 1, column: 1)
            self.problem = "\(error)"
            self.context = nil
        }
    }

    func report(to diagnostics: Diagnostics) {
        var message = "not valid YAML: \(self.problem)"
        if let context {
            message += " \(context.text) (line \(context.mark.line), column \(context.mark.column))"
        }
        diagnostics.report(self.position, message)
    }
}
