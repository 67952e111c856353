public import Configuration
public import System

/// All tokens of a file, or of the files of a folder, with the addresses that they stand for.
public struct TokenLines: Sendable {
    /// What was skipped. It does not say a token.
    public struct Flaw: Hashable, Sendable, CustomStringConvertible {
        /// The path of the file.
        let path: String
        /// Counted from 1; `nil`: the whole file.
        let line: Int?
        /// The end of a sentence about the line or the file.
        let problem: String

        /// `PATH:LINE: the line …`, `PATH: it …`.
        public var description: String {
            self.line.map { "\(self.path):\($0): the line \(self.problem)" } ?? "\(self.path): it \(self.problem)"
        }
    }

    /// In the order of the files and lines. Of several with the same token only the first.
    let entries: [TokenFile.Entry]
    /// Grouped by files.
    public let flaws: [Flaw]

    /// Reads the lines of all files.
    public init(_ contents: FolderContents) {
        var entries: [TokenFile.Entry] = []
        var flaws: [Flaw] = []
        var places: [[UInt8]: (path: String, line: Int)] = [:]
        for member in contents.members {
            let path = member.path
            switch member.contents {
            case .failure(let error): flaws.append(Flaw(path: path, line: nil, problem: "cannot be read: \(error)"))
            case .success(let bytes):
                let file = TokenFile(bytes)
                flaws += file.flaws.map { Flaw(path: path, line: $0.line, problem: $0.problem) }
                for entry in file.entries {
                    if let (first, line) = places[entry.token] {
                        let problem = "has the token of \(first):\(line), which counts"
                        flaws.append(Flaw(path: path, line: entry.line, problem: problem))
                    } else {
                        places[entry.token] = (path, entry.line)
                        entries.append(entry)
                    }
                }
            }
        }
        self.entries = entries
        self.flaws = flaws
    }

    /// Reads a file, or the files of a folder, now. Blocks for as long as that takes.
    public static func readNow(_ path: String) -> TokenLines {
        TokenLines(FileReader.Access.system().contents(of: path))
    }

    /// Where the sessions with a token lead; `nil`: it is unknown.
    public func address(for token: String) -> Address? {
        self.entries.first { $0.token.elementsEqual(token.utf8) }?.address
    }
}

extension TokenLines {
    /// Checks the files of tokens, for `gateway check`. Blocks for as long as it would in a gateway.
    ///
    /// - Returns: a line for each path that leads to nothing that can be read, and one for each file or line that is skipped.
    public static func findings(in configuration: GatewayConfiguration) -> (problems: [String], warnings: [String]) {
        var problems: [String] = []
        var warnings: [String] = []
        for name in configuration.backends.keys.sorted() {
            guard case .tokens(let tokens, _)? = configuration.backends[name]?.kind else { continue }
            for flaw in self.readNow(tokens.path).flaws {
                if flaw.path == tokens.path, flaw.line == nil {
                    problems.append("backend \(name): \(flaw)")
                } else {
                    warnings.append("\(flaw)")
                }
            }
        }
        return (problems, warnings)
    }
}
