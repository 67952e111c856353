/// A kind of mapping in `gateway.conf`, with the rows of its keys.
package struct Section: Sendable {
    /// The name of the section in the schema.
    package let name: String
    /// The keys that work, in the order in which documentation shows them.
    package let rows: [any KeyRow]
    /// The keys that do not work yet.
    let laterKeys: [LaterKey]
    private let names: Set<String>

    fileprivate init(name: String, properties: [Any]) {
        self.name = name
        self.rows = properties.compactMap { $0 as? any KeyRow }
        self.laterKeys = properties.compactMap { $0 as? LaterKey }
        self.names = Set(self.rows.map(\.name))
    }

    /// Whether it has a key of this name that works.
    func has(_ name: String) -> Bool { self.names.contains(name) }

    /// Every section, each once, from that of the whole file to the innermost ones.
    package static let all: [Section] = {
        var sections = [Keys.gateway.section]
        var index = 0
        while index < sections.count {
            for section in sections[index].rows.compactMap(\.section)
            where !sections.contains(where: { $0.name == section.name }) {
                sections.append(section)
            }
            index += 1
        }
        return sections
    }()
}

/// A section, and its rows by the properties that hold them: `Keys.heartbeat.interval`.
@dynamicMemberLookup
struct SectionKeys<Rows: Sendable>: Sendable {
    let section: Section
    private let rows: Rows

    /// - Parameter rows: A structure with a stored property for each row, each key that does not work yet, and each group of them. They are
    ///   listed by reflection, so that a key is written once.
    init(_ name: String, _ rows: Rows) {
        self.rows = rows
        self.section = Section(name: name, properties: Self.properties(of: rows))
    }

    subscript<Row>(dynamicMember path: KeyPath<Rows, Row>) -> Row { self.rows[keyPath: path] }

    private static func properties(of rows: Any) -> [Any] {
        Mirror(reflecting: rows).children.flatMap { child in
            child.value is any KeyGroup ? self.properties(of: child.value) : [child.value]
        }
    }
}

/// Rows that several sections have in common.
protocol KeyGroup: Sendable {}
