import Admission
import Configuration
import Fuzzing

/// Configurations are read, or refused with places that are in the file. Reading again gives the same, and what was read makes routes.
@main
enum FuzzConfiguration {
    static func main() {
        fuzz { bytes in
            guard let text = String(validating: bytes, as: UTF8.self) else { return }
            let first = self.read(text)
            expect(first == self.read(text), "reading depends on more than the text")
            switch first {
            case .success(let configuration): _ = RouteTable(configuration)
            case .failure(let errors):
                expect(!errors.diagnostics.isEmpty, "refused without a mistake")
                _ = errors.description
                let lines = text.unicodeScalars.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r" }
                    .count
                for diagnostic in errors.diagnostics {
                    guard let position = diagnostic.position else { continue }
                    expect(position.line >= 1 && position.column >= 1, "\(diagnostic): a place before the file")
                    expect(position.line <= lines + 1, "\(diagnostic): a place behind the file's \(lines) lines")
                    expect(!diagnostic.message.isEmpty, "a mistake without words")
                }
            }
        }
    }

    private static func read(_ text: String) -> Result<GatewayConfiguration, ConfigurationReader.Failure> {
        Result { () throws(ConfigurationReader.Failure) in
            try ConfigurationReader.read(text: text, file: "fuzz", environment: ["NAME": "value", "LIST": "[a, b]"])
        }
    }
}
