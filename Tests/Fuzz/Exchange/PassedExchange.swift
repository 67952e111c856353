import Configuration
import Fuzzing
import HTTP1
import Sessions

@testable import Admission

/// One exchange without sockets: what the shell does with the bytes of both sides.
struct PassedExchange {
    private let bodyLimit: Int
    private var machine: ExchangeMachine?
    /// The machine's last action.
    private var action = ExchangeMachine.Action.nothing
    /// The next connection to the backend was kept from an earlier request.
    private var isReused: Bool

    private var parser = RequestHeadParser(takesHTTP10: true)
    private var isRefused = false
    private var request: PlainRequest?
    private var requestPassage: BodyPassage?
    private var answer: PassedAnswer?
    private var answerPassage: BodyPassage?

    /// All that came, and all that was sent.
    private var fromClient: [UInt8] = []
    private var fromBackend: [UInt8] = []
    private var toBackend: [UInt8] = []
    private var toClient: [UInt8] = []
    /// The backend ended its side in order.
    private var hasEnded = false
    /// The head of the final answer went to the client.
    private var hasAnswered = false

    init(bodyLimit: Int, isReused: Bool) {
        self.bodyLimit = bodyLimit
        self.isReused = isReused
    }

    /// A request that is passed on has come.
    var isAdmitted: Bool { self.request != nil }

    private var isOver: Bool { self.isRefused || self.machine?.state == .over }

    // MARK: - What happens

    mutating func received(fromClient piece: ArraySlice<UInt8>) {
        guard !self.isOver else { return }
        self.fromClient += piece
        guard self.request == nil else { return self.passRequest(Array(piece)) }
        let received = self.fromClient
        switch self.parser.parse(received.span) {
        case .incomplete: break
        case .invalid: self.isRefused = true
        case .head(let head, let length): self.begin(head, Array(received[length...]))
        }
    }

    mutating func received(fromBackend piece: ArraySlice<UInt8>) {
        guard !self.isOver, self.request != nil else { return }
        self.fromBackend += piece
        let bytes = Array(piece)
        var index = 0
        while !self.isOver, self.answerPassage == nil {
            guard let step = self.answer?.next(in: bytes.span, from: &index) else { return }
            switch step {
            case .needsMore: return
            case .interim(let bytes): self.toClient += bytes
            case .bad(let why): self.handle(.answerInvalid(why))
            case .head(let head): self.begin(head)
            }
        }
        guard !self.isOver, var passage = self.answerPassage else { return }
        var sent: [UInt8] = []
        let progress = passage.pass(bytes.span, from: &index) { sent.append(contentsOf: $0) }
        self.answerPassage = passage
        self.toClient += sent
        self.take(progress, hasMore: index < bytes.count)
    }

    mutating func backendEnded(inOrder: Bool) {
        guard !self.isOver, self.request != nil else { return }
        if var passage = self.answerPassage, inOrder {
            self.hasEnded = true
            var sent: [UInt8] = []
            let progress = passage.receivedEOF { sent.append(contentsOf: $0) }
            self.answerPassage = passage
            self.toClient += sent
            self.take(progress, hasMore: false)
        } else {
            self.handle(.backendEnded("it ended", hasAnswered: self.answer?.hasReceived ?? false))
        }
    }

    mutating func clientLeft() {
        guard !self.isOver else { return }
        self.handle(.clientLeft)
    }

    private mutating func begin(_ head: RequestHead, _ rest: [UInt8]) {
        guard let request = Self.request(head, bodyLimit: self.bodyLimit) else { return self.isRefused = true }
        self.request = request
        self.machine = ExchangeMachine(
            requestBody: request.hasBody ? .passing : .whole, isRepeatable: request.isRepeatable)
        self.act(self.machine?.start() ?? .nothing)
        self.passRequest(rest)
    }

    private mutating func begin(_ head: PassedHead) {
        let keepsClient = self.request?.keepsClient ?? false
        self.handle(
            .answerHead(keepsClient: keepsClient && !head.endsWithConnection, keepsBackend: head.keepsBackend))
        guard case .passAnswer(let keepsClient) = self.action else { return }
        self.toClient += head.bytes(keepsClient: keepsClient, headers: HTTPFields(), cookies: HTTPFields(), date: "now")
        self.answerPassage = head.passage
        self.hasAnswered = true
    }

    private mutating func passRequest(_ bytes: [UInt8]) {
        guard !self.isOver, var passage = self.requestPassage else { return }
        var index = 0
        var sent: [UInt8] = []
        let progress = passage.pass(bytes.span, from: &index) { sent.append(contentsOf: $0) }
        self.requestPassage = passage
        self.toBackend += sent
        switch progress {
        case .more: break
        case .done: self.handle(.requestWhole)
        case .invalid(let failure): self.handle(.requestInvalid(failure))
        case .tooLarge: self.handle(.requestTooLarge)
        }
    }

    private mutating func take(_ progress: BodyPassage.Progress, hasMore: Bool) {
        switch progress {
        case .more: break
        case .done: self.handle(.answerWhole(hasMore: hasMore))
        case .invalid(let failure): self.handle(.answerInvalid("\(failure)"))
        case .tooLarge: expect(false, "an answer that is too large")
        }
    }

    // MARK: - What is done

    private mutating func handle(_ input: ExchangeMachine.Input) {
        self.act(self.machine?.handle(input) ?? .nothing)
    }

    private mutating func act(_ action: ExchangeMachine.Action) {
        self.action = action
        switch action {
        case .chooseEndpoint: self.handle(.endpointChosen)
        case .connect, .connectAnew:
            self.handle(.connected(isReused: self.isReused))
            self.isReused = false
        case .sendRequest:
            guard let request = self.request else { return }
            self.toBackend = request.bytes(
                to: Self.endpoint, on: .subtree("/"), host: .pass, id: "id", without: nil)
            self.requestPassage = request.passage
            self.answer = PassedAnswer(to: request)
        case .nothing, .passAnswer, .refuse, .abort, .end: break
        }
    }

    private static let endpoint = WebSocketEndpoint(
        address: .tcp(host: "127.0.0.1", port: 3000), tls: false, authority: "127.0.0.1:3000", path: .client)

    private static func request(_ head: RequestHead, bodyLimit: Int) -> PlainRequest? {
        let arrival = Arrival(peer: IPAddress("192.0.2.1"), listenerIsSecure: false)
        guard let checked = try? CheckedRequest(head, Hops(head.fields, arrival)), checked.host != nil else {
            return nil
        }
        return try? PlainRequest(checked, routeIndex: 0, bodyLimit: .bytes(bodyLimit))
    }
}

// MARK: - What has to hold

extension PassedExchange {
    /// Once all has happened.
    func check() {
        guard let request = self.request else {
            return expect(self.toBackend.isEmpty && self.toClient.isEmpty, "something of a refused request went on")
        }
        expect(self.isOver, "an exchange without an end")
        self.checkRequest(request)
        self.checkAnswer(to: request)
    }

    private func checkRequest(_ request: PlainRequest) {
        guard let came = Reading(ofRequest: self.fromClient, takesHTTP10: true),
            let sent = Reading(ofRequest: self.toBackend, takesHTTP10: false)
        else { return expect(false, "a request to a backend that cannot be read") }
        expect(sent.line == came.line, "another request: \(sent.line)")
        expect(came.data.starts(with: sent.data), "other data to the backend")
        expect(sent.failure == nil, "a broken request to the backend")
        expect(sent.length == self.toBackend.count, "bytes after a request to the backend")
        expect(!sent.isWhole || (came.isWhole && sent.data == came.data), "a request that only looks whole")
        sent.checkFields()
        for name in ["Host", "X-Forwarded-For", "X-Request-Id", "X-Real-IP"] {
            expect(sent.fields.values(name).count == 1, "not one \(name) to the backend")
        }
        if case .end(let keepsClient, let keepsBackend) = self.action, keepsClient || keepsBackend {
            expect(sent.isWhole, "a connection is kept in the middle of a request")
        }
    }

    private func checkAnswer(to request: PlainRequest) {
        let isWhole = if case .end = self.action { true } else { false }
        let came = Reading(ofAnswer: self.fromBackend, to: request.method, thenEOF: self.hasEnded)
        guard let sent = Reading(ofAnswer: self.toClient, to: request.method, thenEOF: isWhole), let came else {
            return expect(!isWhole && !self.hasAnswered, "an answer that cannot be read")
        }
        expect(sent.line == came.line, "another answer: \(sent.line)")
        expect(came.data.starts(with: sent.data), "other data to the client")
        expect(sent.failure == nil, "a broken answer to the client")
        expect(sent.length == self.toClient.count, "bytes after an answer to the client")
        expect(sent.isWhole == isWhole, "an answer that looks \(sent.isWhole ? "whole, and is not" : "broken off")")
        expect(!isWhole || (came.isWhole && sent.data == came.data), "an answer is whole that was not")
        sent.checkFields()
        if case .end(_, keepsBackend: true) = self.action {
            expect(came.length == self.fromBackend.count, "a connection is kept that has another answer")
        }
    }
}
