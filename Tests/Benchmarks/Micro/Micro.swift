import ArgumentParser
import WebSocketProtocol

/// Measures the pure code that a request, and every byte of a session, goes through.
@main
struct Micro: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway-micro",
        abstract:
            "Measures the code that finds routes, verifies tokens, and reads, checks, masks and compresses frames.",
        discussion: """
            Prints the median time per unit. To count instructions, which depend on nothing but the code, ops/budgets runs \
            this twice under valgrind with different --iterations, and divides the difference.
            """)

    @Argument(help: ArgumentHelp("Only these benchmarks.", valueName: "name"))
    var names: [String] = []

    @Option(help: "Iterations in a round (as many as take 20 ms).")
    var iterations: Int?

    @Option(help: "How often to measure.")
    var rounds = 9

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print the names there are, and how many units an iteration of each is.")
    var list = false

    func validate() throws {
        let known = Set(Benchmark.all.map(\.name))
        if let unknown = self.names.first(where: { !known.contains($0) }) {
            let names = Benchmark.all.map(\.name).joined(separator: ", ")
            throw ValidationError("no benchmark \(unknown); there are \(names)")
        }
        guard self.rounds > 0, self.iterations ?? 1 > 0 else {
            throw ValidationError("--rounds and --iterations take a number above 0")
        }
    }

    func run() {
        let chosen = Benchmark.all.filter { self.names.isEmpty || self.names.contains($0.name) }
        let rows = chosen.map { benchmark in
            let work = benchmark.prepare()
            let fixed: [(String, String)] = [
                ("name", benchmark.name), ("unit", benchmark.unit.rawValue), ("units", String(work.units)),
            ]
            guard !self.list else { return fixed }
            let measured = Measurement(work, rounds: self.rounds, iterations: self.iterations)
            return fixed + [
                ("nanoseconds", Self.rounded(measured.nanosecondsPerUnit)),
                ("least", Self.rounded(measured.range.lowerBound)), ("most", Self.rounded(measured.range.upperBound)),
            ]
        }
        print(self.json ? Self.json(rows) : Self.table(rows))
    }

    /// To two decimals.
    private static func rounded(_ value: Double) -> String { String((value * 100).rounded() / 100) }

    private static func json(_ rows: [[(String, String)]]) -> String {
        let objects = rows.map { row in
            let members = row.map { key, value in
                Double(value) == nil ? "\"\(key)\": \"\(value)\"" : "\"\(key)\": \(value)"
            }
            return "  {" + members.joined(separator: ", ") + "}"
        }
        return "[\n" + objects.joined(separator: ",\n") + "\n]"
    }

    private static func table(_ rows: [[(String, String)]]) -> String {
        let lines = [rows.first?.map(\.0) ?? []] + rows.map { $0.map(\.1) }
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            zip(line, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                // Words are aligned left, numbers right.
                return column < 2 ? cell.0 + padding : padding + cell.0
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
