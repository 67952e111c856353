import Configuration
import Foundation
import Testing

/// `ops/gateway.schema.json`, which editors read.
struct SchemaTests {
    @Test func `the shipped schema is what the table of keys makes`() throws {
        let shipped = try String(contentsOfFile: Shipped.schema, encoding: .utf8)
        #expect(shipped == ConfigurationSchema.text, "write it with: gateway schema > ops/gateway.schema.json")
    }

    private struct Schema: Decodable {
        struct Definition: Decodable {
            var properties: [String: Property]?
            var additionalProperties: Bool?
        }
        struct Property: Decodable {
            var description: String
        }

        var definitions: [String: Definition]
    }

    @Test func `the schema is valid JSON and describes every key of every section`() throws {
        let schema = try JSONDecoder().decode(Schema.self, from: Data(ConfigurationSchema.text.utf8))
        for section in Section.all {
            let definition = try #require(schema.definitions[section.name])
            #expect(definition.additionalProperties == false)
            #expect(definition.properties?.keys.sorted() == section.rows.map(\.name).sorted())
            #expect(definition.properties?.values.allSatisfy { $0.description.hasSuffix(".") } == true)
        }
    }

    @Test func `what a schema refers to is defined`() throws {
        let schema = try JSONDecoder().decode(Schema.self, from: Data(ConfigurationSchema.text.utf8))
        let references = ConfigurationSchema.text.matches(of: #/"#\/definitions\/([a-z0-9-]+)"/#)
            .map { String($0.output.1) }
        #expect(Set(references) == Set(schema.definitions.keys))
    }
}
