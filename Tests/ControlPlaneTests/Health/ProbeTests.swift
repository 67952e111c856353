import Configuration
import HTTP1
import System
import Testing
import WebSocketProtocol

@testable import Connections
@testable import ControlPlane
@testable import DataPlane

/// Each conversation is repeated with the endpoint's answers split at every place.
@Suite struct ProbeTests {
    /// The endpoint's part: its answer to the bytes that were sent last.
    private typealias Answer = ([UInt8]) -> [UInt8]

    private struct Outcome: Equatable {
        var verdict: Probe.Verdict?
        /// The opcodes of the frames that the probe sent, and the code of its Close.
        var frames: [Opcode] = []
        var code: CloseCode?
        var endsWriting = false
        var isOver = false
    }

    private static func settings(
        _ check: HealthCheckKind, _ change: (inout BackendSettings.HealthCheck) -> Void = { _ in }
    ) -> BackendSettings.HealthCheck {
        var settings = BackendSettings.HealthCheck(check: check)
        change(&settings)
        return settings
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    // MARK: - Talking

    /// Lets a probe talk to an endpoint that sends each answer in two parts. The first has `cut` bytes; 0 means byte by byte.
    private func talk(_ settings: BackendSettings.HealthCheck, _ answers: [Answer], cut: Int, thenEOF: Bool) -> Outcome
    {
        var probe = Probe(settings, host: "inner:3000", path: "/own")
        var outcome = Outcome()
        var sent = self.note(probe.connected(), in: &outcome)
        for answer in answers {
            let bytes = answer(sent)
            var ends = cut == 0 ? Array(0...bytes.count) : [min(cut, bytes.count), bytes.count]
            var start = 0
            sent = []
            while !ends.isEmpty, outcome.verdict == nil || !outcome.isOver {
                let end = ends.removeFirst()
                sent += self.note(probe.received(bytes.span.extracting(start..<end)), in: &outcome)
                start = end
            }
        }
        if thenEOF { _ = self.note(probe.receivedEOF(), in: &outcome) }
        return outcome
    }

    private func note(_ step: Probe.Step, in outcome: inout Outcome) -> [UInt8] {
        if let verdict = step.verdict {
            #expect(outcome.verdict == nil)
            outcome.verdict = verdict
        }
        outcome.endsWriting = outcome.endsWriting || step.endsWriting
        outcome.isOver = outcome.isOver || step.isOver
        guard !step.send.isEmpty, !Self.text(step.send).hasPrefix("GET ") else { return step.send }
        for (opcode, payload) in Self.frames(step.send) {
            outcome.frames.append(opcode)
            if opcode == .close { outcome.code = (try? CloseFrame(payload: payload.span))?.code }
        }
        return step.send
    }

    /// Reads frames of a client, which must be masked.
    private static func frames(_ bytes: [UInt8]) -> [(Opcode, [UInt8])] {
        var reader = FrameReader(rules: .init(expectsMask: true))
        var position = 0
        var frames: [(Opcode, [UInt8])] = []
        while case .control(let frame) = reader.next(bytes.span, at: &position) {
            frames.append((frame.opcode, frame.payload(in: bytes.span)))
        }
        #expect(position == bytes.count)
        return frames
    }

    /// The outcome, which must be the same for every split.
    private func outcome(
        _ settings: BackendSettings.HealthCheck, _ answers: [Answer], longest: Int = 400, thenEOF: Bool = false
    ) -> Outcome? {
        let first = self.talk(settings, answers, cut: 0, thenEOF: thenEOF)
        for cut in 1...longest where self.talk(settings, answers, cut: cut, thenEOF: thenEOF) != first { return nil }
        return first
    }

    // MARK: - Answers

    /// A 101 that fits the request, with more header lines and with frames behind it.
    private static func upgrade(_ extra: String = "", then frames: [UInt8] = []) -> Answer {
        { request in
            let lines = Self.text(request).split(separator: "\r\n")
            let key = lines.first { $0.hasPrefix("Sec-WebSocket-Key: ") }?.dropFirst("Sec-WebSocket-Key: ".count) ?? ""
            let accept = AcceptKey.value(for: String(key))
            let head =
                "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n"
            return Array((head + extra + "\r\n").utf8) + frames
        }
    }

    /// The pong to the last ping, with frames before and after it.
    private static func pong(after before: [UInt8] = [], then after: [UInt8] = []) -> Answer {
        { sent in before + Frame.pong(Self.frames(sent).last { $0.0 == .ping }?.1 ?? []) + after }
    }

    private static func bytes(_ text: String) -> Answer { { _ in Array(text.utf8) } }

    private static let noise: [UInt8] =
        Frame.text("welcome") + Frame.ping([1, 2]) + Frame.pong([1, 2, 3, 4, 5, 6, 7, 8]) + Frame.pong([])
        + Frame.encoded(.binary, payload: [UInt8](repeating: 7, count: 130).span, fin: false, maskingKey: nil)
        + Frame.pong([9]) + Frame.encoded(.continuation, payload: [1].span, maskingKey: nil)

    // MARK: - WebSocket

    @Test func `a WebSocket that answers pings passes`() {
        let plain = self.outcome(Self.settings(.websocket), [Self.upgrade(), Self.pong()])
        #expect(plain == Outcome(verdict: .passed, frames: [.ping, .close], code: .normal))
        let noisy = self.outcome(
            Self.settings(.websocket), [Self.upgrade(then: Self.noise), Self.pong(after: Self.noise, then: Self.noise)])
        #expect(noisy == plain)
        // The pong is in the middle of a message. The endpoint's Close and end follow.
        let half = Frame.encoded(.text, payload: [0x61].span, fin: false, maskingKey: nil)
        let closing = self.outcome(
            Self.settings(.websocket), [Self.upgrade(then: half), Self.pong(), { _ in Frame.close(.normal) }],
            thenEOF: true)
        #expect(closing == Outcome(verdict: .passed, frames: [.ping, .close], code: .normal, isOver: true))
    }

    @Test func `the request is the endpoint's or the check's own`() {
        func request(_ settings: BackendSettings.HealthCheck) -> [String] {
            var probe = Probe(settings, host: "inner:3000", path: "/own?x=1")
            let lines = Self.text(probe.connected().send).components("\r\n")
            return lines.map { $0.hasPrefix("Sec-WebSocket-Key: ") ? "Sec-WebSocket-Key: \($0.count)" : $0 }
        }
        let rest = [
            "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: 43", "Sec-WebSocket-Version: 13",
        ]
        let agent = "User-Agent: gateway-health-check"
        #expect(
            request(Self.settings(.websocket))
                == ["GET /own?x=1 HTTP/1.1", "Host: inner:3000", agent] + rest + ["", ""])
        let own = Self.settings(.websocket) {
            $0.path = "/health"
            $0.host = "chat.example.com"
            $0.subprotocol = "chat.v2"
        }
        #expect(
            request(own)
                == ["GET /health HTTP/1.1", "Host: chat.example.com", agent] + rest
                + ["Sec-WebSocket-Protocol: chat.v2", "", ""])
        #expect(
            request(Self.settings(.http))
                == [
                    "GET /own?x=1 HTTP/1.1", "Host: inner:3000", agent, "Accept: */*", "Connection: close", "", "",
                ])
    }

    @Test(arguments: [HealthCheckKind.websocket, .http])
    func `a check's own fields take the place of the gateway's`(check: HealthCheckKind) {
        let settings = Self.settings(check) {
            $0.headers = [
                "Authorization": "Bearer x", "user-agent": "probe/1", "accept": "text/html", "Origin": "https://a",
            ]
        }
        var probe = Probe(settings, host: "a", path: "/")
        let lines = Self.text(probe.connected().send).components("\r\n")
        #expect(
            lines.suffix(6) == [
                "Authorization: Bearer x", "user-agent: probe/1", "accept: text/html", "Origin: https://a", "", "",
            ])
        #expect(lines.count { $0.lowercased().hasPrefix("user-agent:") } == 1)
        #expect(lines.count { $0.lowercased().hasPrefix("accept:") } == 1)
    }

    @Test func `a subprotocol that is asked for must be answered`() {
        let settings = Self.settings(.websocket) { $0.subprotocol = "v2" }
        let right = self.outcome(settings, [Self.upgrade("Sec-WebSocket-Protocol: v2\r\n"), Self.pong()])
        #expect(right?.verdict == .passed)
        let none = self.outcome(settings, [Self.upgrade()])
        #expect(none?.verdict == .failed("a 101 without the subprotocol that is required"))
        let other = self.outcome(settings, [Self.upgrade("Sec-WebSocket-Protocol: v1\r\n")])
        #expect(other?.verdict == .failed("a 101 with a subprotocol that was not offered: v1"))
    }

    @Test(
        arguments: [
            ("HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\noops", "answered 500"),
            ("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", "answered 401"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "it answered 200, not 101"),
            (
                "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
                "a 101 with a wrong Sec-WebSocket-Accept"
            ),
            (
                "SSH-2.0-OpenSSH\r\n",
                "a malformed answer: byte 0x53 in the version of the status line"
            ),
        ])
    func `an answer without an upgrade is a failure`(answer: String, reason: String) {
        let outcome = self.outcome(Self.settings(.websocket), [Self.bytes(answer)])
        #expect(outcome == Outcome(verdict: .failed(reason), endsWriting: true))
    }

    @Test func `after the 101 only a pong passes`() {
        let settings = Self.settings(.websocket)
        func verdict(_ frames: [UInt8], thenEOF: Bool = false) -> Outcome? {
            self.outcome(settings, [Self.upgrade(), { _ in frames }], thenEOF: thenEOF)
        }
        #expect(verdict(Self.noise) == Outcome(verdict: nil, frames: [.ping]))
        #expect(
            verdict(Self.noise + Frame.close(.internalError))
                == Outcome(
                    verdict: .failed("it closed with 1011 before the pong"), frames: [.ping, .close],
                    code: .internalError, endsWriting: true))
        #expect(
            verdict(Frame.close(nil))?.verdict == .failed("it closed with no code before the pong"))
        #expect(
            verdict(Frame.text("x", maskingKey: MaskingKey(1, 2, 3, 4)))
                == Outcome(
                    verdict: .failed("frame with a mask from a server (RFC 6455 5.1)"), frames: [.ping, .close],
                    code: .protocolError, endsWriting: true))
        #expect(
            verdict(Self.noise, thenEOF: true)
                == Outcome(
                    verdict: .failed("the connection ended before the pong"), frames: [.ping], endsWriting: true,
                    isOver: true))
    }

    @Test func `the bytes before the pong are bounded`() {
        let frame = Frame.binary([UInt8](repeating: 0, count: 1 << 20))
        var probe = Probe(Self.settings(.websocket), host: "x", path: "/")
        _ = probe.received(Self.upgrade()(probe.connected().send).span)
        var received = 0
        var step = Probe.Step.wait
        while step.verdict == nil, received < 32 {
            step = probe.received(frame.span)
            received += 1
        }
        #expect(step.verdict == .failed("much came, but no pong"))
        #expect(received == 16)
        // The bytes after the verdict are bounded too.
        #expect(!probe.received([UInt8](repeating: 0, count: 1 << 20).span).isOver)
        #expect(probe.received([0].span).isOver)
    }

    // MARK: - HTTP and TCP

    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\r\n\r\n", nil, Probe.Verdict.passed), ("HTTP/1.0 399 \r\nX: y\r\n\r\nbody", nil, .passed),
            ("HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 204 No\r\n\r\n", nil, .passed),
            ("HTTP/1.1 400 Bad\r\n\r\n", nil, .failed("answered 400")),
            ("HTTP/1.1 503 No\r\n\r\nbody", nil, .failed("answered 503")),
            ("HTTP/1.1 101 No\r\n\r\n", nil, .failed("answered 101")),
            ("HTTP/1.1 418 Teapot\r\n\r\n", 418, .passed), ("HTTP/1.1 200 OK\r\n\r\n", 418, .failed("answered 200")),
            ("HTTP/2 200\r\n\r\n", nil, .failed("a malformed answer: the version is not HTTP/1.1")),
        ] as [(String, Int?, Probe.Verdict)])
    func `an HTTP check looks at the status`(answer: String, status: Int?, verdict: Probe.Verdict) {
        let settings = Self.settings(.http) { $0.status = status }
        #expect(self.outcome(settings, [Self.bytes(answer)], longest: 60)?.verdict == verdict)
    }

    @Test func `an HTTP check needs an answer`() {
        let settings = Self.settings(.http)
        let cut = self.outcome(settings, [Self.bytes("HTTP/1.1 200 OK\r\nX: ")], longest: 30, thenEOF: true)
        #expect(cut?.verdict == .failed("it closed the connection before it answered"))
        var probe = Probe(settings, host: "x", path: "/")
        _ = probe.connected()
        let interim = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
        var received = 0
        while probe.received(interim.span).verdict == nil { received += interim.count }
        #expect((60 << 10)...(64 << 10) ~= received)
    }

    @Test func `a connection is enough for connect`() {
        var probe = Probe(Self.settings(.connect), host: "x", path: "/")
        #expect(probe.connected() == Probe.Step(verdict: .passed, endsWriting: true))
        #expect(probe.received([1, 2, 3].span) == .wait)
        #expect(probe.receivedEOF() == Probe.Step(isOver: true))
    }

    // MARK: - Time

    @Test func `a timeout names what is missing`() {
        var probe = Probe(Self.settings(.websocket), host: "x", path: "/")
        #expect(probe.timedOut(after: .seconds(2)) == .failed("no connection within 2s"))
        let request = probe.connected().send
        #expect(
            probe.timedOut(after: .milliseconds(1500)) == .failed("no answer to the opening handshake within 1500ms"))
        var refused = probe
        _ = refused.received(Array("HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nhalf".utf8).span)
        #expect(refused.timedOut(after: .seconds(2)) == .failed("answered 500"))
        let ping = probe.received(Self.upgrade()(request).span).send
        #expect(probe.timedOut(after: .seconds(2)) == .failed("the pong did not come within 2s"))
        _ = probe.received(Self.pong()(ping).span)
        #expect(probe.timedOut(after: .seconds(2)) == nil)
        var http = Probe(Self.settings(.http), host: "x", path: "/")
        _ = http.connected()
        #expect(http.timedOut(after: .seconds(2)) == .failed("no answer within 2s"))
    }
}

extension String {
    fileprivate func components(_ separator: String) -> [String] {
        var parts: [String] = [""]
        for character in self {
            if separator == String(character) { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts
    }
}
