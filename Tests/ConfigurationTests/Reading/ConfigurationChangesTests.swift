import Testing

@testable import Configuration

@Suite struct ConfigurationChangesTests {
    @Test(arguments: [
        ("", "", []),
        ("a\nb\nc", "a\nb\nc", []),
        ("a\nb\nc", "a\nc", ["- b"]),
        ("a\nc", "a\nb\nc", ["+ b"]),
        ("a\nb\nc", "a\nB\nc", ["- b", "+ B"]),
        ("a\nb\nc\nd", "B\nb\nd\ne", ["- a", "+ B", "- c", "+ e"]),
        ("a", "b", ["- a", "+ b"]),
        ("a\na\na", "a", ["- a", "- a"]),
        ("", "a\nb", ["+ a", "+ b"]),
    ])
    func `what differs is told line by line`(_ old: String, _ new: String, _ lines: [String]) {
        #expect(ConfigurationChanges.lines(from: old, to: new) == lines)
    }

    /// The lines that are not told, with the new ones, are the new file.
    @Test func `what is told leads from one file to the other`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            func file() -> [String] {
                (0..<Int.random(in: 0...12, using: &random)).map { _ in "\(Int.random(in: 0...4, using: &random))" }
            }
            let (old, new) = (file(), file())
            let told = ConfigurationChanges.lines(from: old.joined(separator: "\n"), to: new.joined(separator: "\n"))
            let gone = told.filter { $0.hasPrefix("- ") }.map { String($0.dropFirst(2)) }
            let added = told.filter { $0.hasPrefix("+ ") }.map { String($0.dropFirst(2)) }
            #expect((old + added).sorted() == (new + gone).sorted())
        }
    }

    @Test func `secrets are in no line`() {
        func file(_ secret: String) -> [UInt8] {
            Array("backends: {a: {websocket: [ws://u:\(secret)@h/], cookie: {key: \(secret)}}}".utf8)
        }
        #expect(ConfigurationChanges.lines(from: file("one"), to: file("two")) == [])
        let told = ConfigurationChanges.lines(from: file("one"), to: Array("backends: {b: {builtin: echo}}".utf8))
        #expect(!told.joined().contains("one"))
        #expect(!told.isEmpty)
    }
}
