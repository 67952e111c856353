import Foundation
import Testing

@testable import Configuration

/// Files with mistakes, each beside the exact text that `gateway check` prints for it.
struct GoldenTests {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Golden")

    static let names =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path()))?
        .filter { $0.hasSuffix(".yaml") }.sorted() ?? []

    @Test func `the golden files are found`() {
        #expect(Self.names.count > 20)
    }

    @Test(arguments: names)
    func `every mistake is reported at its place`(name: String) throws {
        let file = Self.folder.appending(path: name)
        let text = try String(contentsOf: file, encoding: .utf8)
        let expected = try String(
            contentsOf: file.deletingPathExtension().appendingPathExtension("txt"), encoding: .utf8)

        let errors = #expect(throws: ConfigurationReader.Failure.self) {
            try ConfigurationReader.read(text: text, file: name, environment: [:])
        }

        #expect(errors.map { $0.description + "\n" } == expected)
        let positions = errors?.diagnostics.compactMap(\.position) ?? []
        #expect(positions == positions.sorted())
    }
}
