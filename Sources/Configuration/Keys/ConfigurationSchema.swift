/// The JSON schema of `gateway.conf`, made from the table of keys. Editors complete and check the file with it.
public enum ConfigurationSchema {
    /// The text of the schema, with its last newline.
    public static var text: String {
        let sections = Section.all.map { JSON.Member(key: $0.name, value: self.schema(of: $0)) }
        let description =
            "The configuration of the gateway. Values may hold ${NAME} and ${NAME:-default}, which stand for environment variables."
        let schema: JSON = [
            "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "gateway.conf",
            "description": .string(description),
            "allOf": [.reference(Keys.gateway.section.name)],
            "definitions": .object(sections + self.types),
        ]
        return schema.text(width: 120) + "\n"
    }

    private static func schema(of section: Section) -> JSON {
        var members: [JSON.Member] = [
            JSON.Member(key: "type", value: "object"), JSON.Member(key: "additionalProperties", value: false),
        ]
        let required = section.required.map { JSON.string($0.name) }
        if !required.isEmpty { members.append(JSON.Member(key: "required", value: .array(required))) }
        let alternatives = section.alternatives.map { rows -> JSON in
            let written = rows.map { row -> JSON in ["required": [.string(row.name)]] }
            return written.count == 1 ? written[0] : ["anyOf": .array(written)]
        }
        if !alternatives.isEmpty { members.append(JSON.Member(key: "oneOf", value: .array(alternatives))) }
        let rows = section.rows.map { JSON.Member(key: $0.name, value: self.schema(of: $0)) }
        return .object(members + [JSON.Member(key: "properties", value: .object(rows))])
    }

    private static func schema(of row: any KeyRow) -> JSON {
        let bounds = row.bounds.map { " \($0)." } ?? ""
        var members = [JSON.Member(key: "description", value: .string(row.sentence + bounds))]
        if let text = row.defaultText { members.append(JSON.Member(key: "default", value: .plain(text))) }
        guard case .object(let schema) = row.schema else { return .object(members) }
        // Draft 7 ignores whatever stands beside a `$ref`.
        let isReference = schema.contains { $0.key == "$ref" }
        return .object(members + (isReference ? [JSON.Member(key: "allOf", value: [row.schema])] : schema))
    }

    /// The types that several keys have.
    private static let types = [
        JSON.Member(key: "truth", value: ["anyOf": [["type": "boolean"], .variable]]),
        JSON.Member(
            key: "duration",
            value: [
                "examples": ["250ms", "10s", "5m", "1h"],
                "anyOf": [["type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"], .variable],
            ]),
        JSON.Member(
            key: "size",
            value: [
                "examples": ["64KiB", "1MiB"],
                "anyOf": [
                    ["type": "integer", "minimum": 0], ["type": "string", "pattern": "^[0-9]+(B|KiB|MiB|GiB)?$"],
                    .variable,
                ],
            ]),
        JSON.Member(
            key: "rate",
            value: [
                "examples": [20, "20/s", "0.5/s"],
                "anyOf": [
                    ["type": "number", "exclusiveMinimum": 0],
                    ["type": "string", "pattern": "^[0-9]+([.][0-9]+)?(/s)?$"], .variable,
                ],
            ]),
        JSON.Member(key: "variable", value: ["type": "string", "pattern": "\\$\\{"]),
    ]
}

extension JSON {
    /// A value as the file writes it: a number, `true`, `false`, `[]` or text.
    fileprivate static func plain(_ text: String) -> JSON {
        switch text {
        case "true": true
        case "false": false
        case "[]": []
        case let text where Int(text).map(String.init) == text: .number(text)
        default: .string(text)
        }
    }
}
