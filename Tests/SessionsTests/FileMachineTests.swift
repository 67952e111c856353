import Testing

@testable import Sessions

/// The way of a file as a table: a state and an input lead to a state and an action.
@Suite struct FileMachineTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let from: FileMachine.State
        let input: FileMachine.Input
        let to: FileMachine.State
        let action: FileMachine.Action

        var testDescription: String { "\(self.from) × \(self.input)" }
    }

    private static func row(
        _ from: FileMachine.State, _ input: FileMachine.Input, _ to: FileMachine.State, _ action: FileMachine.Action
    ) -> Row {
        Row(from: from, input: input, to: to, action: action)
    }

    private static func abort(_ from: FileMachine.State, _ input: FileMachine.Input, _ reason: String) -> Row {
        self.row(from, input, .over, .abort(reason))
    }

    private static let reading = FileMachine.State.reading(left: 10)
    private static let delivering = FileMachine.State.delivering(left: 10)

    private static let rows: [Row] = [
        // The next piece is read once the last one is taken.
        row(.opening, .opened(left: 10, isTaken: true), reading, .read),
        row(.opening, .opened(left: 10, isTaken: false), delivering, .nothing),
        row(.opening, .opened(left: 0, isTaken: true), .over, .end),
        row(.opening, .opened(left: 0, isTaken: false), .delivering(left: 0), .nothing),
        row(reading, .sent(4, isTaken: true), .reading(left: 6), .read),
        row(reading, .sent(4, isTaken: false), .delivering(left: 6), .nothing),
        row(reading, .sent(10, isTaken: true), .over, .end),
        row(reading, .sent(10, isTaken: false), .delivering(left: 0), .nothing),
        row(delivering, .taken, reading, .read),
        row(.delivering(left: 0), .taken, .over, .end),
        row(reading, .taken, reading, .nothing),
        row(.opening, .taken, .opening, .nothing),

        // What goes wrong.
        row(.opening, .notOpened(.failed("x")), .over, .refuse(.failed("x"))),
        row(.opening, .timeOver, .over, .refuse(.timeout)),
        row(.opening, .ordered(.drain), .over, .refuse(.draining)),
        row(.opening, .memoryNeeded, .over, .refuse(.memory)),
        abort(reading, .notRead("it has become shorter"), "it has become shorter"),
        abort(reading, .timeOver, "the file was not read in time"),
        abort(delivering, .notTaken, "the client took nothing of the answer"),
        abort(reading, .ordered(.drain), "drain"),
        abort(delivering, .ordered(.drain), "drain"),
        abort(reading, .memoryNeeded, "the gateway is short of memory"),
        abort(delivering, .memoryNeeded, "the gateway is short of memory"),
        abort(.opening, .clientLeft, "the client left"),
        abort(reading, .clientLeft, "the client left"),
        abort(delivering, .clientLeft, "the client left"),
        row(delivering, .timeOver, delivering, .nothing),

        // It ends once.
        row(.over, .clientLeft, .over, .nothing),
        row(.over, .sent(1, isTaken: true), .over, .nothing),
        row(.over, .opened(left: 0, isTaken: true), .over, .nothing),
    ]

    @Test(arguments: Self.rows) func `each input leads from its state to the next`(row: Row) {
        var machine = FileMachine(state: row.from)
        do { let action = machine.handle(row.input); #expect(action == row.action) }
        #expect(machine.state == row.to)
    }

    @Test func `it begins by looking for the file`() {
        #expect(FileMachine().state == .opening)
    }
}
