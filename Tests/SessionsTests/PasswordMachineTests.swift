import Testing

@testable import Sessions

/// The way of a request with a password as a table: a state and an input lead to a state and an action.
@Suite struct PasswordMachineTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let from: PasswordMachine.State
        let input: PasswordMachine.Input
        let to: PasswordMachine.State
        let action: PasswordMachine.Action

        var testDescription: String { "\(self.from) × \(self.input)" }
    }

    private static func row(
        _ from: PasswordMachine.State, _ input: PasswordMachine.Input, _ to: PasswordMachine.State,
        _ action: PasswordMachine.Action
    ) -> Row {
        Row(from: from, input: input, to: to, action: action)
    }

    private static let rows: [Row] = [
        row(.pausing, .pauseOver, .hashing, .hash),
        row(.hashing, .judged(isRight: true), .over, .decide(isRight: true)),
        row(.hashing, .judged(isRight: false), .over, .decide(isRight: false)),
        row(.hashing, .crowded, .over, .refuse(.crowded)),

        row(.pausing, .timeOver, .over, .refuse(.tooLate)),
        row(.pausing, .clientLeft, .over, .end),
        row(.pausing, .ordered, .over, .refuse(.draining)),
        row(.pausing, .memoryNeeded, .over, .refuse(.memory)),
        row(.hashing, .timeOver, .over, .refuse(.tooLate)),
        row(.hashing, .clientLeft, .over, .end),
        row(.hashing, .ordered, .over, .refuse(.draining)),
        row(.hashing, .memoryNeeded, .over, .refuse(.memory)),

        // What comes too late, or does not belong there.
        row(.pausing, .judged(isRight: true), .pausing, .nothing),
        row(.pausing, .crowded, .pausing, .nothing),
        row(.hashing, .pauseOver, .hashing, .nothing),
        row(.over, .judged(isRight: true), .over, .nothing),
        row(.over, .pauseOver, .over, .nothing),
        row(.over, .clientLeft, .over, .nothing),
    ]

    @Test(arguments: rows) func `each input leads to its action`(row: Row) {
        var machine = PasswordMachine(state: row.from)
        #expect(machine.handle(row.input) == row.action)
        #expect(machine.state == row.to)
    }
}
