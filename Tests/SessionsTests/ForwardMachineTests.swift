import Testing

@testable import Sessions

/// The way of a request that an auth service is asked about: one thing happens to it, and what comes later changes nothing.
@Suite struct ForwardMachineTests {
    private static let rows: [(ForwardMachine.Input, ForwardMachine.Action)] = [
        (.judged(letsIn: true), .letIn), (.judged(letsIn: false), .refuse(.service)),
        (.unreachable, .refuse(.unreachable)), (.clientLeft, .end), (.ordered, .refuse(.draining)),
        (.memoryNeeded, .refuse(.memory)),
    ]

    @Test(arguments: rows.indices) func `only the first thing that happens counts`(index: Int) {
        var machine = ForwardMachine()
        #expect(machine.state == .asking)
        #expect(machine.handle(Self.rows[index].0) == Self.rows[index].1)
        #expect(machine.state == .over)
        for (input, _) in Self.rows { #expect(machine.handle(input) == .nothing) }
    }

    @Test func `only a service that lets in does`() {
        for (input, action) in Self.rows { #expect((action == .letIn) == (input == .judged(letsIn: true))) }
    }
}
