import HTTP1
import Testing

@testable import Sessions

/// An exchange as a table: a state and an input lead to a state and an action.
@Suite struct ExchangeMachineTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let from: ExchangeMachine.State
        let input: ExchangeMachine.Input
        let to: ExchangeMachine.State
        let action: ExchangeMachine.Action

        var testDescription: String { "\(self.from) × \(self.input)" }
    }

    private static func row(
        _ from: ExchangeMachine.State, _ input: ExchangeMachine.Input, _ to: ExchangeMachine.State,
        _ action: ExchangeMachine.Action
    ) -> Row {
        Row(from: from, input: input, to: to, action: action)
    }

    private static func refuse(
        _ from: ExchangeMachine.State, _ input: ExchangeMachine.Input, _ why: ExchangeMachine.Refused,
        blames: Bool = false
    ) -> Row {
        self.row(from, input, .over, .refuse(why, blamesEndpoint: blames))
    }

    private static func abort(
        _ from: ExchangeMachine.State, _ input: ExchangeMachine.Input, _ reason: String
    ) -> Row {
        self.row(from, input, .over, .abort(reason))
    }

    private static func ignore(_ state: ExchangeMachine.State, _ input: ExchangeMachine.Input) -> Row {
        self.row(state, input, state, .nothing)
    }

    private static let failed = OpeningFailure.connectFailed("refused")
    private static let choosing = ExchangeMachine.State.choosing(.init())
    private static let onceTried = ExchangeMachine.State.choosing(.init(count: 1, failure: failed, phase: .connect))
    private static let connecting = ExchangeMachine.State.connecting(number: 1)
    private static let awaiting = ExchangeMachine.State.awaitingAnswer(number: 1, isReused: false)
    private static let reused = ExchangeMachine.State.awaitingAnswer(number: 1, isReused: true)
    private static let answering = ExchangeMachine.State.answering(keepsClient: true, keepsBackend: true)

    private static let rows: [Row] = [
        // The choice of an endpoint.
        row(choosing, .endpointChosen, connecting, .connect),
        row(onceTried, .endpointChosen, .connecting(number: 2), .connect),
        refuse(choosing, .noEndpoint, .backend(.noEndpoint)),
        refuse(onceTried, .noEndpoint, .backend(failed)),

        // The backend's connection.
        row(connecting, .connected(isReused: false), awaiting, .sendRequest),
        row(connecting, .connected(isReused: true), reused, .sendRequest),
        row(connecting, .notConnected("refused", wasSilent: false), onceTried, .chooseEndpoint(after: failed)),
        row(
            connecting, .notConnected("no answer", wasSilent: true),
            .choosing(.init(count: 1, failure: .backendTimeout("no answer"), phase: .connect)),
            .chooseEndpoint(after: .backendTimeout("no answer"))),
        row(connecting, .noAddress("refused"), onceTried, .chooseEndpoint(after: failed)),
        refuse(connecting, .cannotConnect("no descriptor"), .backend(.connectFailed("no descriptor"))),

        // The head of the answer.
        row(awaiting, .answerHead(keepsClient: true, keepsBackend: true), answering, .passAnswer(keepsClient: true)),
        row(
            awaiting, .answerHead(keepsClient: false, keepsBackend: true),
            .answering(keepsClient: false, keepsBackend: true), .passAnswer(keepsClient: false)),
        refuse(awaiting, .answerInvalid("a 101"), .backend(.badBackend("a 101")), blames: true),
        refuse(awaiting, .answerTimeOver, .backend(.backendTimeout("no answer came")), blames: true),
        refuse(
            awaiting, .requestNotTaken, .backend(.backendTimeout("it took nothing of the request")), blames: true),
        refuse(awaiting, .backendEnded("reset", hasAnswered: false), .backend(.badBackend("reset")), blames: true),
        refuse(awaiting, .backendEnded("reset", hasAnswered: true), .backend(.badBackend("reset")), blames: true),
        row(reused, .backendEnded("reset", hasAnswered: false), connecting, .connectAnew),
        refuse(reused, .backendEnded("reset", hasAnswered: true), .backend(.badBackend("reset")), blames: true),

        // The answer.
        row(answering, .answerWhole(hasMore: false), .over, .end(keepsClient: true, keepsBackend: true)),
        row(answering, .answerWhole(hasMore: true), .over, .end(keepsClient: true, keepsBackend: false)),
        row(
            .answering(keepsClient: false, keepsBackend: true), .answerWhole(hasMore: false), .over,
            .end(keepsClient: false, keepsBackend: true)),
        abort(answering, .answerInvalid("a bad chunk size"), "the backend's answer is broken: a bad chunk size"),
        abort(answering, .backendEnded("reset", hasAnswered: true), "the backend broke its answer off: reset"),
        abort(answering, .answerNotTaken, "the client took nothing of the answer"),
        abort(awaiting, .answerNotTaken, "the client took nothing of the answer"),
        abort(answering, .requestNotTaken, "the backend took nothing of the request"),
        ignore(answering, .answerTimeOver),
        ignore(answering, .answerHead(keepsClient: true, keepsBackend: true)),

        // A request that goes wrong is answered, unless an answer has begun.
        refuse(connecting, .requestInvalid(.badChunkSize), .badBody(.badChunkSize)),
        refuse(awaiting, .requestInvalid(.badChunkSize), .badBody(.badChunkSize)),
        refuse(awaiting, .requestTooLarge, .bodyTooLarge),
        refuse(awaiting, .requestStalled, .bodyTimeout),
        abort(answering, .requestInvalid(.badChunkSize), "the client's request is broken: a bad chunk size"),
        abort(answering, .requestTooLarge, "the body of the request is too large"),
        abort(answering, .requestStalled, "the client sent nothing of its request"),

        // The client, and the gateway.
        abort(choosing, .clientLeft, "the client left"),
        abort(connecting, .clientLeft, "the client left"),
        abort(awaiting, .clientLeft, "the client left"),
        abort(answering, .clientLeft, "the client left"),
        refuse(choosing, .ordered(.drain), .backend(.draining)),
        refuse(connecting, .ordered(.drain), .backend(.draining)),
        refuse(awaiting, .ordered(.drain), .backend(.draining)),
        abort(answering, .ordered(.drain), "drain"),
        refuse(awaiting, .memoryNeeded, .backend(.memory)),
        abort(answering, .memoryNeeded, "the gateway is short of memory"),

        // An exchange ends once.
        ignore(.over, .clientLeft),
        ignore(.over, .answerWhole(hasMore: false)),
        ignore(.over, .backendEnded("reset", hasAnswered: true)),
        ignore(.over, .ordered(.drain)),
    ]

    @Test(arguments: Self.rows) func `each input leads from its state to the next`(row: Row) {
        var machine = ExchangeMachine(state: row.from)
        do { let action = machine.handle(row.input); #expect(action == row.action) }
        #expect(machine.state == row.to)
    }

    private func machine(
        _ inputs: [ExchangeMachine.Input], body: ExchangeMachine.RequestBody = .whole, isRepeatable: Bool = true
    ) -> (machine: ExchangeMachine, last: ExchangeMachine.Action) {
        var machine = ExchangeMachine(requestBody: body, isRepeatable: isRepeatable)
        var action = machine.start()
        for input in inputs { action = machine.handle(input) }
        return (machine, action)
    }

    // MARK: - Endpoints

    @Test func `three endpoints are tried, and the client is told the last one's failure`() {
        let failures = ["1", "2", "3"].flatMap {
            [ExchangeMachine.Input.endpointChosen, .notConnected($0, wasSilent: false)]
        }
        #expect(self.machine([]).last == .chooseEndpoint(after: nil))
        #expect(self.machine(Array(failures.prefix(4))).last == .chooseEndpoint(after: .connectFailed("2")))
        let third = self.machine(failures)
        #expect(third.last == .refuse(.backend(.connectFailed("3")), blamesEndpoint: true))
        #expect(third.machine.state == .over)
    }

    @Test func `a request is sent once more where its kept connection had ended`() {
        let inputs: [ExchangeMachine.Input] = [
            .endpointChosen, .connected(isReused: true), .backendEnded("reset", hasAnswered: false),
        ]
        #expect(self.machine(inputs).last == .connectAnew)
        #expect(self.machine(inputs + [.connected(isReused: false)]).last == .sendRequest)
        // Once.
        let again = self.machine(inputs + [.connected(isReused: false), .backendEnded("reset", hasAnswered: false)])
        #expect(again.last == .refuse(.backend(.badBackend("reset")), blamesEndpoint: true))
        // It was not sent to another endpoint in between.
        let refused = self.machine(inputs + [.notConnected("refused", wasSilent: false)])
        #expect(refused.last == .chooseEndpoint(after: .connectFailed("refused")))
    }

    @Test func `a request that does more when it is sent twice is sent once`() {
        let inputs: [ExchangeMachine.Input] = [
            .endpointChosen, .connected(isReused: true), .backendEnded("reset", hasAnswered: false),
        ]
        // Its end and our request crossed: that is no failure of the endpoint.
        #expect(
            self.machine(inputs, isRepeatable: false).last
                == .refuse(.backend(.badBackend("reset")), blamesEndpoint: false))
    }

    @Test func `a kept connection takes a request for some seconds`() {
        for (milliseconds, repeatable, others) in [
            (0, true, true), (1000, true, true), (1001, true, false), (4000, true, false), (4001, false, false),
        ] {
            let time = Duration.milliseconds(milliseconds)
            #expect(ExchangeMachine.mayReuse(keptFor: time, isRepeatable: true) == repeatable)
            #expect(ExchangeMachine.mayReuse(keptFor: time, isRepeatable: false) == others)
        }
    }

    // MARK: - The request's body

    private static let head = ExchangeMachine.Input.answerHead(keepsClient: true, keepsBackend: true)

    @Test func `after an answer that came before the whole request no connection is kept`() {
        let early: [ExchangeMachine.Input] = [.endpointChosen, .connected(isReused: false), Self.head]
        #expect(self.machine(early, body: .passing).last == .passAnswer(keepsClient: false))
        for rest: [ExchangeMachine.Input] in [[], [.requestWhole]] {
            let inputs = early + rest + [.answerWhole(hasMore: false)]
            #expect(self.machine(inputs, body: .passing).last == .end(keepsClient: false, keepsBackend: false))
        }
    }

    @Test func `after an answer to a whole request both connections are kept`() {
        let inputs: [ExchangeMachine.Input] = [
            .endpointChosen, .connected(isReused: false), .requestWhole, Self.head, .answerWhole(hasMore: false),
        ]
        #expect(self.machine(inputs, body: .passing).last == .end(keepsClient: true, keepsBackend: true))
    }

    @Test func `each part of an exchange has a time of its own`() {
        let inputs: [ExchangeMachine.Input] = [
            .endpointChosen, .connected(isReused: false), .requestBodyDue, .requestWhole, Self.head,
            .answerWhole(hasMore: false),
        ]
        func awaited(_ body: ExchangeMachine.RequestBody) -> [ExchangeMachine.Awaited] {
            (0...inputs.count).map { self.machine(Array(inputs.prefix($0)), body: body).machine.awaits }
        }
        #expect(
            awaited(.held)
                == [.connection, .connection, .answerHead, .requestBody, .answerHead, .answerBody, .nothing])
        #expect(
            awaited(.whole)
                == [.connection, .connection, .answerHead, .answerHead, .answerHead, .answerBody, .nothing])
        let early = self.machine(
            [.endpointChosen, .connected(isReused: false), Self.head], body: .passing)
        #expect(early.machine.awaits == .requestBody)
    }
}
