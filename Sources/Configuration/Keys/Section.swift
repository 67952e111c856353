/// A kind of mapping in `gateway.conf`, with the rows of its keys.
public struct Section: Sendable {
    /// The name of the section in the schema.
    public let name: String
    /// The keys, in the order in which documentation shows them.
    public let rows: [any KeyRow]
    /// Those that must be written.
    let required: [any KeyRow]
    /// Exactly one of these must be written. Rows that may stand together are one.
    let alternatives: [[any KeyRow]]
    /// Keys of the same mapping in `listeners` and `defaults`, which are not for this one.
    let elsewhere: [any KeyRow]
    private let names: Set<String>

    fileprivate init(name: String, rows: [any KeyRow], elsewhere: Section?) {
        self.name = name
        self.rows = rows
        self.required = rows.filter { $0.presence == .required }
        self.alternatives = Self.alternatives(rows)
        self.elsewhere = elsewhere?.rows ?? []
        self.names = Set(self.rows.map(\.name))
    }

    private static func alternatives(_ rows: [any KeyRow]) -> [[any KeyRow]] {
        var alternatives: [[any KeyRow]] = []
        for row in rows {
            switch row.presence {
            case .optional, .required: break
            case .alternative: alternatives.append([row])
            case .alternativeBeside(let name):
                let place = alternatives.firstIndex { $0.contains { $0.name == name } }
                if let place { alternatives[place].append(row) } else { alternatives.append([row]) }
            }
        }
        return alternatives
    }

    /// Whether it has a key of this name that works.
    func has(_ name: String) -> Bool { self.names.contains(name) }

    /// Every section, each once, from that of the whole file to the innermost ones.
    public static let all: [Section] = {
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

    /// - Parameters:
    ///   - rows: A list of rows, or a structure with a stored property for each row or group of rows. They are listed by reflection, so
    ///     that a key is written once.
    ///   - elsewhere: The keys that only `listeners` and `defaults` have.
    init(_ name: String, _ rows: Rows, elsewhere: Section? = nil) {
        self.rows = rows
        self.section = Section(name: name, rows: Self.list(rows), elsewhere: elsewhere)
    }

    subscript<Row>(dynamicMember path: KeyPath<Rows, Row>) -> Row { self.rows[keyPath: path] }

    private static func list(_ rows: Any) -> [any KeyRow] {
        Mirror(reflecting: rows).children.flatMap { child in
            (child.value as? any KeyRow).map { [$0] } ?? self.list(child.value)
        }
    }
}
