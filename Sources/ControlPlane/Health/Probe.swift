internal import Admission
internal import Configuration
internal import HTTP1
internal import Sessions
internal import System
internal import WebSocketProtocol

/// What a health check says to an endpoint, and how it judges the answers. It has no socket and no clock.
///
/// A check of a WebSocket server does not stop at the 101: if the server's event loop hangs, a thread of it or a proxy in front may still
/// upgrade. So it sends a ping, and closes when the pong is there.
struct Probe {
    enum Verdict: Equatable {
        case passed
        /// - Parameter reason: a few words for the log.
        case failed(String)
    }

    /// What to do next. One step of a probe has a verdict, no more.
    struct Step: Equatable {
        var send: [UInt8] = []
        var verdict: Verdict?
        /// Shut down our side after sending.
        var endsWriting = false
        /// Close the connection.
        var isOver = false

        static let wait = Step()
    }

    private enum State {
        case beforeConnection
        case handshake(BackendHandshake)
        /// The ping was sent, and its pong is awaited.
        case pong(FrameReader)
        case responseHead(ResponseHeadParser)
        /// There is a verdict. The peer's bytes are still read up to its end, because closing earlier would reset the connection.
        case closing
    }

    /// The most bytes before the pong. Some servers begin with a long history.
    private static let mostBeforePong = 16 << 20
    private static let mostBeforeStatus = 64 << 10
    private static let mostDiscarded = 1 << 20

    private let settings: BackendSettings.HealthCheck
    private let host: String
    private let path: String
    private let ping = Randomness.bytes(8)
    private var state = State.beforeConnection
    /// The bytes received in this state.
    private var count = 0
    /// The part of a head or frame that has come.
    private var rest: [UInt8] = []

    /// - Parameters:
    /// - host: the Host to send, if the settings have none.
    /// - path: the path to request, if the settings have none.
    init(_ settings: BackendSettings.HealthCheck, host: String, path: String) {
        self.settings = settings
        self.host = settings.host ?? host
        self.path = settings.path ?? path
    }

    // MARK: - Events

    /// The connection is open, TLS included.
    mutating func connected() -> Step {
        switch self.settings.check {
        case .connect:
            self.enter(.closing)
            return Step(verdict: .passed, endsWriting: true)
        case .websocket:
            let key = AcceptKey.makeKey(random: Randomness.bytes(16))
            let offer = self.settings.subprotocol.map { [$0] } ?? []
            self.enter(
                .handshake(
                    BackendHandshake(key: key, offeredSubprotocols: offer, requiresSubprotocol: !offer.isEmpty)))
            return Step(send: self.request(key: key).bytes)
        case .http:
            self.enter(.responseHead(ResponseHeadParser()))
            return Step(send: self.request(key: nil).bytes)
        }
    }

    /// Takes the bytes that follow those of the last call.
    mutating func received(_ bytes: Span<UInt8>) -> Step {
        self.count += bytes.count
        switch self.state {
        case .beforeConnection: return .wait
        case .handshake(var handshake):
            let outcome = handshake.received(bytes)
            self.state = .handshake(handshake)
            return self.judge(outcome, bytes)
        case .pong(var reader): return self.readFrames(&reader, bytes)
        case .responseHead(var parser): return self.readHead(&parser, bytes)
        case .closing: return Step(isOver: self.count > Self.mostDiscarded)
        }
    }

    /// The endpoint has ended its side.
    mutating func receivedEOF() -> Step {
        var step: Step
        switch self.state {
        case .beforeConnection, .pong: step = self.fail("the connection ended before the pong")
        case .handshake(var handshake): step = self.judge(handshake.receivedEOF(), [UInt8]().span)
        case .responseHead: step = self.fail("it closed the connection before it answered")
        case .closing: step = .wait
        }
        step.isOver = true
        return step
    }

    /// The timeout has passed.
    ///
    /// - Returns: `nil` if there is a verdict already.
    func timedOut(after timeout: Duration) -> Verdict? {
        switch self.state {
        case .beforeConnection: return .failed("no connection within \(timeout.shown)")
        case .handshake(var handshake):
            // A refusal, the body of which has no end yet.
            if handshake.isReadingRefusal, case .refused(let answer) = handshake.receivedEOF() {
                return .failed("answered \(answer.status)")
            }
            return .failed("no answer to the opening handshake within \(timeout.shown)")
        case .pong: return .failed("the pong did not come within \(timeout.shown)")
        case .responseHead: return .failed("no answer within \(timeout.shown)")
        case .closing: return nil
        }
    }

    // MARK: - Decisions

    private mutating func enter(_ state: State) {
        self.state = state
        self.count = 0
        self.rest = []
    }

    private mutating func fail(_ reason: String, saying code: CloseCode? = nil) -> Step {
        self.enter(.closing)
        let close = code.map { Frame.close($0, reason: reason, maskingKey: .random) } ?? []
        return Step(send: close, verdict: .failed(reason), endsWriting: true)
    }

    /// - Parameter bytes: the last bytes of the handshake, and what follows it.
    private mutating func judge(_ outcome: BackendHandshake.Outcome, _ bytes: Span<UInt8>) -> Step {
        switch outcome {
        case .incomplete: return .wait
        case .bad(let reason): return self.fail(reason)
        case .refused(let answer): return self.fail("answered \(answer.status)")
        case .passed(let status, _): return self.fail("answered \(status)")
        case .accepted(let accepted):
            var reader = FrameReader(rules: FrameReader.Rules(expectsMask: false))
            self.enter(.pong(reader))
            var step = self.readFrames(&reader, bytes.extracting(accepted.length..<bytes.count))
            step.send = Frame.ping(self.ping, maskingKey: .random) + step.send
            return step
        }
    }

    private mutating func readFrames(_ reader: inout FrameReader, _ bytes: Span<UInt8>) -> Step {
        guard self.count <= Self.mostBeforePong else { return self.fail("much came, but no pong", saying: .goingAway) }
        var input = self.rest
        input.append(bytes)
        var position = 0
        while true {
            let walk = reader.walk(input.span, from: position)
            switch walk.stop {
            case .end, .incomplete:
                self.rest = Array(input[walk.end...])
                self.state = .pong(reader)
                return .wait
            case .violation(let violation): return self.fail(violation.description, saying: violation.closeCode)
            case .control(let frame):
                let payload = frame.payload(in: input.span)
                if frame.opcode == .pong, payload == self.ping { return self.pass() }
                if frame.opcode == .close { return self.fail(closedWith: payload) }
                position = frame.range.upperBound
            }
        }
    }

    /// The client does not end TCP here: the server does so first (RFC 6455 section 7.1.1).
    private mutating func pass() -> Step {
        self.enter(.closing)
        return Step(send: Frame.close(.normal, reason: "health check passed", maskingKey: .random), verdict: .passed)
    }

    private mutating func fail(closedWith payload: [UInt8]) -> Step {
        let code = (try? CloseFrame(payload: payload.span))?.code
        return self.fail(
            "it closed with \(code.map { "\($0)" } ?? "no code") before the pong", saying: code ?? .normal)
    }

    private mutating func readHead(_ parser: inout ResponseHeadParser, _ bytes: Span<UInt8>) -> Step {
        guard self.count <= Self.mostBeforeStatus else { return self.fail("much came, but no answer") }
        self.rest.append(bytes)
        while true {
            let input = self.rest
            switch parser.parse(input.span) {
            case .incomplete:
                self.state = .responseHead(parser)
                return .wait
            case .invalid(let error): return self.fail("a malformed answer: \(error.detail)")
            case .head(let head, let length):
                // An interim answer precedes the real one (RFC 9110 section 15.2). A 101 is not expected: the check does not ask for it.
                guard (100..<200).contains(head.status), head.status != 101 else { return self.judge(head.status) }
                self.rest = Array(input[length...])
                parser = ResponseHeadParser()
            }
        }
    }

    private mutating func judge(_ status: Int) -> Step {
        let isRight = self.settings.status.map { $0 == status } ?? (200...399).contains(status)
        self.enter(.closing)
        // The rest of the body is ignored. The server ends the connection, as `Connection: close` asked.
        return Step(verdict: isRight ? .passed : .failed("answered \(status)"))
    }

    // MARK: - Request

    /// - Parameter key: the key of an opening handshake; `nil` for a plain GET.
    private func request(key: String?) -> RequestHead {
        let own = self.settings.headers
        var fields: HTTPFields = ["Host": self.host]
        if !own.has("User-Agent") { fields.append("User-Agent", "gateway-health-check") }
        if let key {
            fields.append("Upgrade", "websocket")
            fields.append("Connection", "Upgrade")
            fields.append("Sec-WebSocket-Key", key)
            fields.append("Sec-WebSocket-Version", "13")
            if let name = self.settings.subprotocol { fields.append("Sec-WebSocket-Protocol", name) }
        } else {
            if !own.has("Accept") { fields.append("Accept", "*/*") }
            fields.append("Connection", "close")
        }
        fields.append(own)
        return RequestHead(method: "GET", target: self.path, fields: fields)
    }
}
