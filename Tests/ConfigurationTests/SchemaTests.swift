import Configuration
import Foundation
import Testing

/// `ops/gateway.schema.json`, which editors read.
struct SchemaTests {
    private struct Schema: Decodable {
        struct Definition: Decodable {
            var properties: [String: Ignored]?
            var additionalProperties: Ignored?
        }
        struct Ignored: Decodable {}

        var definitions: [String: Definition]
    }

    private static func schema() throws -> Schema {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "ops/gateway.schema.json")
        return try JSONDecoder().decode(Schema.self, from: Data(contentsOf: path))
    }

    @Test(arguments: Section.allCases)
    func `the schema and the reader know the same keys`(section: Section) throws {
        let definition = try #require(try Self.schema().definitions[section.rawValue])
        #expect(definition.properties?.keys.sorted() == section.keys.sorted())
    }

    @Test func `the schema has no mapping that the reader does not know`() throws {
        let mappings = try Self.schema().definitions.filter { $0.value.properties != nil }.keys
        #expect(Set(mappings) == Set(Section.allCases.map(\.rawValue)))
    }
}
