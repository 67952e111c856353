import Fuzzing
import HTTP1

@testable import Admission
@testable import Configuration

/// Files of tokens that name servers, line by line and whole, and the names of files that are served.
@main
enum FuzzFiles {
    static func main() {
        fuzz { bytes in
            var choices = Choices(bytes)
            if choices.byte() % 2 == 0 { self.tokens(choices.rest()) } else { self.name(choices.rest()) }
        }
    }

    private static func tokens(_ bytes: [UInt8]) {
        let file = TokenFile(bytes)
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let text = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
        let lines = text.split(separator: .lineFeed, omittingEmptySubsequences: false)
        let withCRLF = bytes.prefix(bytes.count - text.count) + lines.joined(separator: [.carriageReturn, .lineFeed])
        expect(TokenFile(Array(withCRLF)) == file, "CRLF is no LF")

        let places = file.entries.map(\.line) + file.flaws.map(\.line)
        expect(Set(places).count == places.count, "a line that says two things")
        expect(places.allSatisfy { (1...lines.count).contains($0) }, "a line behind the file")
        for entry in file.entries {
            let line = Array(lines[entry.line - 1])
            // At the beginning of a file it would be a mark.
            let alone = TokenFile([.lineFeed] + line)
            expect(alone.entries.map(\.token) == [entry.token], "a line that depends on others")
            expect(!entry.token.isEmpty && !entry.token.contains(.lineFeed), "a token that is none")
            let again = try? Address(parsing: entry.address.description, for: .connect)
            expect(again == entry.address, "an address that is another one when it is read again")
        }
        for flaw in file.flaws { expect(!flaw.problem.isEmpty, "skipped without a reason") }
    }

    private static func name(_ bytes: [UInt8]) {
        let path = String(decoding: bytes, as: UTF8.self)
        // No target of a request has others.
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return }
        for prefix in ["/", "/files/"] {
            guard let name = FileName(path, below: prefix) else { continue }
            let segments = name.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            expect(!name.bytes.contains(0), "a zero in a name")
            expect(!segments.dropLast().contains { $0.isEmpty }, "a name with two slashes in a row")
            expect(name.bytes.first != UInt8(ascii: "/"), "a name from the root")
            let hidden = segments.filter { $0.first == UInt8(ascii: ".") }
            let isWellKnown = prefix == "/" && segments.count > 1 && segments[0].elementsEqual(".well-known".utf8)
            expect(hidden.count == (isWellKnown ? 1 : 0), "a name that is hidden, or leads out")
            expect(name.isFolder == (name.bytes.isEmpty || name.bytes.last == UInt8(ascii: "/")), "neither of both")
        }
    }
}
