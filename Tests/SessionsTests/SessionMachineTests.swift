import Configuration
import System
import Testing
import WebSocketProtocol

@testable import Sessions

/// The opening as a table: a state and an input lead to a state and an action.
@Suite struct SessionMachineTests {
    private typealias Attempt = SessionMachine.Attempt

    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000)
    private static let intime = clock(after: .seconds(4))
    private static let late = clock(after: .seconds(10))

    private static func clock(after time: Duration) -> SessionMachine.HandshakeClock {
        .init(now: self.start + time, deadline: self.start + .seconds(10), allowed: .seconds(10))
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let from: SessionMachine.State
        let input: SessionMachine.Input
        let to: SessionMachine.State
        let action: SessionMachine.Action

        var testDescription: String { "\(self.from) × \(self.input)" }
    }

    private static func row(
        _ from: SessionMachine.State, _ input: SessionMachine.Input, _ to: SessionMachine.State,
        _ action: SessionMachine.Action
    ) -> Row {
        Row(from: from, input: input, to: to, action: action)
    }

    private static func end(_ state: SessionMachine.State, _ input: SessionMachine.Input, _ reason: String) -> Row {
        self.row(state, input, .closed, .end(reason))
    }

    private static func refuse(
        _ state: SessionMachine.State, _ input: SessionMachine.Input, _ failure: OpeningFailure, blames: Bool = false
    ) -> Row {
        self.row(state, input, .closed, .refuse(failure, blamesEndpoint: blames))
    }

    private static let connecting = SessionMachine.State.connecting(Attempt(number: 1, chosenAt: start))
    private static let shakingHands = SessionMachine.State.backendHandshake(Attempt(number: 1, chosenAt: start))
    private static let failed = OpeningFailure.connectFailed("refused")

    private static let rows: [Row] = [
        // The choice of an endpoint.
        row(.choosing(.init()), .endpointChosen(at: start), connecting, .connect),
        row(
            .choosing(.init(count: 1, failure: failed, phase: .connect)), .endpointChosen(at: start),
            .connecting(Attempt(number: 2, chosenAt: start)), .connect),
        refuse(.choosing(.init()), .noEndpoint, .noEndpoint),
        refuse(.choosing(.init(count: 1, failure: failed, phase: .connect)), .noEndpoint, failed),

        // The backend's connection.
        row(
            connecting, .noAddress("not resolved yet"),
            .choosing(.init(count: 1, failure: .connectFailed("not resolved yet"), phase: .connect)),
            .chooseEndpoint(after: .connectFailed("not resolved yet"))),
        row(
            connecting, .notConnected("refused", wasSilent: false, intime),
            .choosing(.init(count: 1, failure: failed, phase: .connect)), .chooseEndpoint(after: failed)),
        row(
            connecting, .notConnected("no answer", wasSilent: true, intime),
            .choosing(.init(count: 1, failure: .backendTimeout("no answer"), phase: .connect)),
            .chooseEndpoint(after: .backendTimeout("no answer"))),
        refuse(
            connecting, .notConnected("refused", wasSilent: false, late),
            .backendTimeout("the opening handshake timed out (refused)"), blames: true),
        refuse(connecting, .cannotConnect("no descriptor"), .connectFailed("no descriptor")),
        row(connecting, .connected(isWebSocket: true), shakingHands, .sendRequest),
        row(connecting, .connected(isWebSocket: false), .conversing, .begin(.bridge)),
        row(connecting, .timeOver(isReadingRefusal: false, late), connecting, .checkAddresses),
        end(connecting, .clientLeft, "the client left during the opening handshake"),
        refuse(connecting, .ordered(.reload), .draining),
        refuse(connecting, .memoryNeeded, .memory),

        // The backend's opening handshake.
        row(shakingHands, .backendAccepted, .conversing, .begin(.relay)),
        row(shakingHands, .backendRefused, .closed, .passRefusalOn),
        refuse(shakingHands, .backendFailed("HTTP/1.0", hasAnswered: true), .badBackend("HTTP/1.0"), blames: true),
        row(
            shakingHands, .backendFailed("reset", hasAnswered: false),
            .choosing(.init(count: 1, failure: .badBackend("reset"), phase: .backendHandshake)),
            .chooseEndpoint(after: .badBackend("reset"))),
        row(shakingHands, .timeOver(isReadingRefusal: true, late), shakingHands, .endRefusal),
        refuse(
            shakingHands, .timeOver(isReadingRefusal: false, late),
            .backendTimeout("the opening handshake timed out"), blames: true),
        end(shakingHands, .clientLeft, "the client left during the opening handshake"),
        refuse(shakingHands, .ordered(.drain), .draining),
        refuse(shakingHands, .memoryNeeded, .memory),

        // A session ends once.
        row(.closed, .clientLeft, .closed, .nothing),
        row(.closed, .ordered(.drain), .closed, .nothing),
        row(.closed, .memoryNeeded, .closed, .nothing),
        row(.closed, .timeOver(isReadingRefusal: false, late), .closed, .nothing),
    ]

    @Test(arguments: Self.rows) func `each input leads from its state to the next`(row: Row) {
        var machine = SessionMachine(state: row.from)
        do { let action = machine.handle(row.input); #expect(action == row.action) }
        #expect(machine.state == row.to)
    }

    @Test(arguments: [
        (SessionMachine.Target.service, SessionMachine.State.conversing, SessionMachine.Action.begin(.serve)),
        (.backend, .choosing(.init()), .chooseEndpoint(after: nil)),
    ])
    func `the target decides how a session begins`(
        target: SessionMachine.Target, to: SessionMachine.State, action: SessionMachine.Action
    ) {
        var machine = SessionMachine(.registered)
        do { let begun = machine.start(to: target); #expect(begun == action) }
        #expect(machine.state == to)
    }

    // MARK: - Endpoints

    @Test func `three endpoints are tried, and the client is told the last one's failure`() {
        var machine = SessionMachine(state: .choosing(.init()))
        for number in 1...3 {
            let chosen = machine.handle(.endpointChosen(at: Self.start))
            #expect(chosen == .connect)
            let action = machine.handle(.notConnected("\(number)", wasSilent: false, Self.intime))
            let failure = OpeningFailure.connectFailed("\(number)")
            let expected: SessionMachine.Action =
                number < 3 ? .chooseEndpoint(after: failure) : .refuse(failure, blamesEndpoint: true)
            #expect(action == expected)
        }
        #expect(machine.state == .closed)
    }

    @Test func `an endpoint that was chosen late is not blamed for the time of earlier ones`() {
        let late = Attempt(number: 2, chosenAt: Self.start + .milliseconds(5001))
        var machine = SessionMachine(state: .backendHandshake(late))
        let action = machine.handle(.timeOver(isReadingRefusal: false, Self.late))
        #expect(action == .refuse(.backendTimeout("the opening handshake timed out"), blamesEndpoint: false))
    }

    @Test func `a request that the backend has answered is not sent twice`() {
        var machine = SessionMachine(state: Self.shakingHands)
        _ = machine.handle(.backendFailed("nonsense", hasAnswered: true))
        #expect(machine.state == .closed)
    }

    // MARK: - Phases

    @Test func `the phases of a relayed session`() {
        var machine = SessionMachine(.registered)
        _ = machine.start(to: .backend)
        var phases = [machine.phase]
        let inputs: [SessionMachine.Input] = [
            .endpointChosen(at: Self.start), .connected(isWebSocket: true), .backendAccepted,
        ]
        for input in inputs {
            _ = machine.handle(input)
            phases.append(machine.phase)
        }
        #expect(machine.isOpen)
        _ = machine.close(.byGateway(.drain), .anywhere)
        phases.append(machine.phase)
        #expect(!machine.isOpen)
        do { let isOver = machine.closed(.client); #expect(!isOver) }
        do { let isOver = machine.closed(.backend); #expect(isOver) }
        phases.append(machine.phase)
        #expect(
            phases == [.requestHead, .connect, .backendHandshake, .relay, .closing, .closed])
    }

    @Test func `a session ends once`() {
        var machine = SessionMachine(.registered)
        do { let isOver = machine.closed(.client); #expect(isOver) }
        do { let isOver = machine.closed(.client); #expect(!isOver) }
        do { let isOver = machine.closed(.backend); #expect(!isOver) }
        do { let action = machine.handle(.clientLeft); #expect(action == .nothing) }
    }

    // MARK: - Connections

    @Test func `what comes too late for a closed leg does not open it again`() {
        for event in [
            ClosingHandshake.Event.ended(.backend, .inOrder), .ended(.backend, .failed), .stalled(.backend),
            .silent(.backend), .timeOver(.backend), .delivered(.backend), .dismissed(.backend),
        ] {
            var machine = SessionMachine(state: .connecting(Attempt(number: 1, chosenAt: Self.start)))
            _ = machine.handle(.connected(isWebSocket: false))
            _ = machine.closed(.backend)
            let actions = machine.happened(event, .anywhere)
            #expect(actions == .none)
            #expect(!machine.closing.isConnected(.backend))
        }
    }

    @Test(arguments: [Leg.client, .backend]) func `nothing is relayed or sent to a closed leg`(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.close(.byGateway(.memory), .nowhere)
        #expect(closing.isWaiting(leg))
        closing.closed(leg)
        #expect(!closing.isWaiting(leg))
        #expect(!closing.relays(from: leg.other))
        let actions = closing.reachedBoundary(leg)
        #expect(actions == .none)
        let relayed = closing.received(CloseFrame(code: .normal), from: leg.other)
        #expect(relayed[leg] == .init())
    }

    @Test(arguments: [Leg.client, .backend]) func `a leg that is dismissed is aborted, and the other is alone`(leg: Leg)
    {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.close(.byGateway(.memory), .anywhere)
        let actions = closing.happened(.dismissed(leg), .anywhere)
        #expect(actions[leg].end == .abort)
        #expect(closing.ending == .byGateway(.memory))
        closing.closed(leg)
        if leg == .client { #expect(closing.isAlone(.backend)) }
    }

    @Test(arguments: [SessionKind.relay, .bridge, .serve], [Leg.client, .backend])
    func `a side that has closed does not wait for one that is dismissed`(kind: SessionKind, closed: Leg) {
        // A bridge's server has no Close, and a service no leg.
        guard kind == .relay || (kind == .bridge && closed == .client) else { return }
        var closing = ClosingHandshake.of(kind)
        _ = closing.received(CloseFrame(code: .normal), from: closed)
        let ending = closing.ending
        let actions = closing.happened(.dismissed(closed.other), .anywhere)
        #expect(actions[closed.other].end == .abort)
        #expect(actions[closed].end == .shutDown)
        #expect(closing.awaits(closed) == .end)
        #expect(closing.ending == ending)
        closing.closed(closed.other)
        #expect(closing.awaits(closed) == .end)
    }
}
