import Testing

@testable import Sessions

/// A client's connection as a table: a state and an input lead to a state and an action.
@Suite struct ClientMachineTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let from: ClientMachine.State
        let input: ClientMachine.Input
        let to: ClientMachine.State
        let action: ClientMachine.Action

        var testDescription: String { "\(self.from) × \(self.input)" }
    }

    private static func row(
        _ from: ClientMachine.State, _ input: ClientMachine.Input, _ to: ClientMachine.State,
        _ action: ClientMachine.Action
    ) -> Row {
        Row(from: from, input: input, to: to, action: action)
    }

    private static func end(_ state: ClientMachine.State, _ input: ClientMachine.Input, _ reason: String) -> Row {
        self.row(state, input, .over, .end(reason))
    }

    private static func ignore(_ state: ClientMachine.State, _ input: ClientMachine.Input) -> Row {
        self.row(state, input, state, .nothing)
    }

    private static let answering = ClientMachine.State.answering(hasEnded: false)
    private static let ended = ClientMachine.State.answering(hasEnded: true)

    private static let rows: [Row] = [
        // The PROXY header.
        row(.proxyHeader, .proxyHeaderRead(hasTLS: true), .tlsHandshake, .shakeHands),
        row(.proxyHeader, .proxyHeaderRead(hasTLS: false), .requestHead, .readRequest),
        row(.proxyHeader, .turnedAway, .over, .turnAway),
        end(.proxyHeader, .ended(.inOrder), "the proxy left before its PROXY header was whole"),
        end(.proxyHeader, .timeOver, "the proxy took too long for its PROXY header"),
        end(.proxyHeader, .ordered(.drain), "drain"),
        row(.proxyHeader, .roomNeeded, .over, .makeRoom),
        end(.proxyHeader, .memoryNeeded, "the gateway is short of memory"),
        ignore(.proxyHeader, .tlsEstablished),
        ignore(.proxyHeader, .answered(isLast: true)),

        // The TLS handshake.
        row(.tlsHandshake, .tlsEstablished, .requestHead, .readRequest),
        end(.tlsHandshake, .tlsFailed("no shared cipher"), "TLS: no shared cipher"),
        end(.tlsHandshake, .ended(.inOrder), "the client left during its TLS handshake"),
        end(.tlsHandshake, .timeOver, "the client took too long for its TLS handshake"),
        end(.tlsHandshake, .ordered(.drain), "drain"),
        row(.tlsHandshake, .roomNeeded, .over, .makeRoom),
        end(.tlsHandshake, .memoryNeeded, "the gateway is short of memory"),
        ignore(.tlsHandshake, .answered(isLast: true)),

        // The request.
        end(.requestHead, .ended(.failed), "the client left before its request was whole"),
        row(.requestHead, .timeOver, answering, .refuse(.headTimeout)),
        row(.requestHead, .ordered(.drain), answering, .refuse(.draining)),
        row(.requestHead, .memoryNeeded, answering, .refuse(.memory)),
        row(.requestHead, .roomNeeded, .over, .makeRoom),
        row(.requestHead, .answered(isLast: true), answering, .answer),
        row(.requestHead, .answered(isLast: false), .idle, .answer),
        row(.requestHead, .admitted, .exchange, .beginExchange),
        ignore(.requestHead, .sessionOpened),
        ignore(.requestHead, .orderedBehindAnswer),

        // A session is being opened: it decides.
        row(.exchange, .sessionOpened, .over, .handOver),
        row(.exchange, .answered(isLast: true), answering, .answer),
        row(.exchange, .exchangeEnded(.kept), .idle, .awaitRequest),
        row(.exchange, .exchangeEnded(.last), answering, .endAfterAnswer),
        row(.exchange, .exchangeEnded(.silent), .over, .close),
        row(.exchange, .exchangeEnded(.incomplete), .over, .abort),
        ignore(.exchange, .ended(.inOrder)),
        ignore(.exchange, .timeOver),
        ignore(.exchange, .ordered(.drain)),
        ignore(.exchange, .memoryNeeded),
        ignore(.exchange, .roomNeeded),
        ignore(.exchange, .dismissed),

        // Between requests.
        row(.idle, .requestBegan, .requestHead, .limitRequest),
        row(.idle, .ended(.inOrder), .over, .close),
        row(.idle, .ended(.failed), .over, .close),
        row(.idle, .timeOver, .over, .close),
        row(.idle, .ordered(.drain), .over, .close),
        row(.idle, .memoryNeeded, .over, .close),
        row(.idle, .roomNeeded, .over, .close),
        row(.idle, .orderedBehindAnswer, answering, .endAfterAnswer),
        row(.idle, .stalled, .over, .abort),
        ignore(.idle, .answered(isLast: true)),

        // An answer is being sent.
        row(answering, .roomNeeded, .over, .close),
        ignore(answering, .ordered(.drain)),
        ignore(answering, .memoryNeeded),
        ignore(answering, .answered(isLast: true)),

        // After an answer we only wait for the client's end.
        row(answering, .ended(.inOrder), ended, .nothing),
        ignore(answering, .delivered),
        row(ended, .delivered, .over, .close),

        // A client that fails while its answer goes out is closed.
        row(answering, .ended(.failed), .over, .close),
        row(answering, .ended(.truncated), .over, .close),
        row(answering, .timeOver, .over, .close),
        row(answering, .stalled, .over, .abort),
        row(answering, .dismissed, .over, .abort),
        row(ended, .ended(.failed), .over, .close),
        row(ended, .timeOver, .over, .close),
        row(ended, .stalled, .over, .abort),
        row(ended, .roomNeeded, .over, .close),

        // A connection ends once.
        ignore(.over, .ended(.failed)),
        ignore(.over, .roomNeeded),
        ignore(.over, .ordered(.drain)),
        ignore(.over, .dismissed),
        ignore(.over, .answered(isLast: true)),
    ]

    @Test(arguments: Self.rows) func `each input leads from its state to the next`(row: Row) {
        var machine = ClientMachine(state: row.from)
        do { let action = machine.handle(row.input); #expect(action == row.action) }
        #expect(machine.state == row.to)
    }

    @Test func `the phases of a connection that is answered`() {
        var machine = ClientMachine(hasTLS: true)
        var phases = [machine.phase]
        for input: ClientMachine.Input in [.tlsEstablished, .answered(isLast: true), .ended(.inOrder), .delivered] {
            _ = machine.handle(input)
            phases.append(machine.phase)
        }
        #expect(phases == [.tlsHandshake, .requestHead, .closing, .closing, .closed])
    }

    @Test func `without TLS a connection begins with the request`() {
        #expect(ClientMachine(hasTLS: false).phase == .requestHead)
    }

    @Test func `a PROXY header comes before TLS`() {
        var machine = ClientMachine(hasProxyHeader: true, hasTLS: true)
        var phases = [machine.phase]
        for input: ClientMachine.Input in [.proxyHeaderRead(hasTLS: true), .tlsEstablished] {
            _ = machine.handle(input)
            phases.append(machine.phase)
        }
        #expect(phases == [.proxyHeader, .tlsHandshake, .requestHead])
        #expect(ClientMachine(hasProxyHeader: true, hasTLS: false).phase == .proxyHeader)
    }
}
