internal import Configuration

/// A table in aligned columns, for people. Nothing in it can control a terminal.
struct TextTable<Row: Sendable> {
    /// A column of it.
    struct Column: Sendable {
        var title: String
        /// Numbers are aligned to the right.
        var isNumber = false
        var value: @Sendable (Row) -> String

        init(_ title: String, isNumber: Bool = false, _ value: @escaping @Sendable (Row) -> String) {
            self.title = title
            self.isNumber = isNumber
            self.value = value
        }
    }

    /// The titles, and a line for each row.
    let lines: [String]

    init(_ columns: [Column], _ rows: [Row]) {
        let cells = [columns.map(\.title)] + rows.map { row in columns.map { $0.value(row).printable } }
        let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        self.lines = cells.map { line in
            let padded = line.enumerated().map { column, cell in
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return columns[column].isNumber ? padding + cell : cell + padding
            }
            return padded.joined(separator: "  ").trimmed
        }
    }
}
