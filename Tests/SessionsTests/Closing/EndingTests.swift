import Configuration
import Testing
import WebSocketProtocol

@testable import Sessions

@Suite struct EndingTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let ending: Ending
        let client: CloseFrame?
        let backend: CloseFrame?

        init(_ ending: Ending, client: (CloseCode, String)?, backend: (CloseCode, String)?) {
            self.ending = ending
            self.client = client.map { CloseFrame(code: $0, reason: $1) }
            self.backend = backend.map { CloseFrame(code: $0, reason: $1) }
        }

        var testDescription: String { "\(self.ending.cause.rawValue) by \(self.ending.by.name)" }
    }

    /// Each cause, and what each side is sent for it.
    static let table: [Row] = [
        // The peer's own Close is relayed; a bridged server's end of file is a normal closure.
        Row(.by(.client, .clientClosed), client: nil, backend: nil),
        Row(.by(.backend, .backendClosed), client: (.normal, "backend has ended the connection"), backend: nil),
        Row(.by(.client, .clientGone), client: nil, backend: (.goingAway, "client connection lost")),
        Row(.by(.client, .clientStalled), client: nil, backend: (.goingAway, "client not responding")),
        Row(
            .by(.client, .clientPingTimeout), client: (.goingAway, "no answer to a ping"),
            backend: (.goingAway, "client gave no answer to a ping")),
        Row(.by(.backend, .backendGone), client: (.internalError, "backend connection lost"), backend: nil),
        Row(.by(.backend, .backendStalled), client: (.internalError, "backend not responding"), backend: nil),
        Row(
            .by(.backend, .backendPingTimeout), client: (.internalError, "backend gave no answer to a ping"),
            backend: (.goingAway, "no answer to a ping")),
        Row(
            .by(.client, .protocolError), client: (.protocolError, "broke the WebSocket protocol"),
            backend: (.goingAway, "client broke the WebSocket protocol")),
        Row(
            .by(.backend, .protocolError), client: (.internalError, "backend broke the WebSocket protocol"),
            backend: (.protocolError, "broke the WebSocket protocol")),
        Row(
            .violated(.maskedFrame, by: .backend, "so it did"),
            client: (.internalError, "backend broke the WebSocket protocol"), backend: (.protocolError, "so it did")),
        Row(
            .by(.client, .invalidData), client: (.invalidData, "sent invalid data"),
            backend: (.goingAway, "client sent invalid data")),
        Row(
            .by(.backend, .invalidData), client: (.internalError, "backend sent invalid data"),
            backend: (.invalidData, "sent invalid data")),
        Row(
            .violated(.messageTooBig, by: .client, "so it did"), client: (.messageTooBig, "so it did"),
            backend: (.goingAway, "client sent a message that is too big")),
        Row(
            .by(.backend, .messageTooBig), client: (.internalError, "backend sent a message that is too big"),
            backend: (.messageTooBig, "sent a message that is too big")),
        Row(
            .by(.client, .tooManyFragments), client: (.messageTooBig, "sent a message in too many fragments"),
            backend: (.goingAway, "client sent a message in too many fragments")),
        Row(
            .by(.backend, .tooManyFragments), client: (.internalError, "backend sent a message in too many fragments"),
            backend: (.messageTooBig, "sent a message in too many fragments")),
        Row(
            .byGateway(.rateLimit), client: (.policy, "messages were sent too fast"),
            backend: (.goingAway, "client sent messages too fast")),
        Row(
            .byGateway(.slowConsumer), client: (.tryAgainLater, "messages were not read fast enough: try again later"),
            backend: (.goingAway, "client did not read fast enough")),
        Row(
            .byGateway(.memory), client: (.tryAgainLater, "gateway is short of memory: try again later"),
            backend: (.goingAway, "gateway is short of memory")),
        Row(
            .by(.client, .policy), client: (.policy, "only listening is allowed here"),
            backend: (.goingAway, "client did what is not allowed")),
        Row(
            .byGateway(.credentialExpired), client: (.policy, "credential has expired: sign in again"),
            backend: (.goingAway, "client's credential has expired")),
        Row(
            .byGateway(.credentialRevoked), client: (.policy, "credential was revoked"),
            backend: (.goingAway, "client's credential was revoked")),
        Row(
            .byGateway(.idleTimeout), client: (.goingAway, "no message for too long"),
            backend: (.goingAway, "no message for too long")),
        Row(
            .byGateway(.sessionTimeout), client: (.goingAway, "longest time of a session reached"),
            backend: (.goingAway, "longest time of a session reached")),
        Row(
            .byGateway(.historyLost), client: (.serviceRestart, "messages may be missing: connect again"),
            backend: (.goingAway, "messages may be missing")),
        Row(
            .byGateway(.drain), client: (.serviceRestart, "service restart: connect again"),
            backend: (.goingAway, "gateway drains its sessions")),
        Row(
            .byGateway(.reload), client: (.serviceRestart, "service was reconfigured: connect again"),
            backend: (.goingAway, "gateway was reconfigured")),
        Row(.byAdmin(), client: (.policy, "closed by an operator"), backend: (.goingAway, "closed by an operator")),
        Row(
            .byAdmin(.serviceRestart), client: (.serviceRestart, "closed by an operator"),
            backend: (.goingAway, "closed by an operator")),
        Row(
            .byAdmin(CloseCode(rawValue: 4999), reason: "bye"), client: (CloseCode(rawValue: 4999), "bye"),
            backend: (.goingAway, "closed by an operator")),
        Row(
            .byGateway(.internalError), client: (.internalError, "internal error of the gateway"),
            backend: (.internalError, "internal error of the gateway")),
    ]

    @Test(arguments: table) func `each side gets its code and reason`(row: Row) {
        #expect(row.ending.close(to: .client) == row.client)
        #expect(row.ending.close(to: .backend) == row.backend)
    }

    @Test(arguments: table, [Leg.client, .backend]) func `each of our Closes has a reason that fits`(row: Row, leg: Leg)
    {
        guard let close = row.ending.close(to: leg) else { return }
        #expect(!close.reason.isEmpty && close.reason.utf8.count <= CloseFrame.maximumReason)
    }

    /// Some client libraries take 1012 and 1013 for a protocol error.
    @Test(arguments: table) func `a client that only speaks RFC 6455 gets no later code`(row: Row) {
        for leg in [Leg.client, .backend] {
            let (usual, close) = (row.ending.close(to: leg), row.ending.close(to: leg, .rfc6455))
            #expect(close?.reason == usual?.reason)
            switch usual?.code?.rawValue {
            case 1012: #expect(close?.code == .goingAway)
            case 1013: #expect(close?.code == .policy)
            default: #expect(close?.code == usual?.code)
            }
        }
    }

    @Test(arguments: table) func `each code may be sent, and a server's codes only go to clients`(row: Row) {
        #expect(row.ending.close(to: .client)?.code?.isAllowedOnWire != false)
        #expect(row.ending.close(to: .backend)?.code?.isAllowedOnWire != false)
        let serverWords: [CloseCode?] = [.serviceRestart, .tryAgainLater]
        #expect(!serverWords.contains(row.ending.close(to: .backend)?.code))
    }

    @Test(arguments: Violation.allCases) func `each violation has its cause`(violation: Violation) {
        let cause = Cause(violation)
        #expect(Ending.by(.client, cause).close(to: .client)?.code == violation.closeCode)
        #expect(Ending.by(.backend, cause).close(to: .backend)?.code == violation.closeCode)
    }

    @Test func `each cause is in the table`() {
        #expect(Set(Self.table.map(\.ending.cause)) == Set(Cause.allCases))
    }

    @Test func `a given reason is for the client only`() {
        let ending = Ending.byAdmin(.internalError, reason: "sorry")
        #expect(ending.close(to: .client) == CloseFrame(code: .internalError, reason: "sorry"))
        #expect(ending.close(to: .backend)?.reason == "closed by an operator")
    }

    @Test(arguments: [1000, 1001, 1008, 1011, 1012, 3000, 4999] as [UInt16]) func `an operator may give some codes`(
        code: UInt16
    ) {
        #expect(Ending.byAdmin(CloseCode(rawValue: code)).close(to: .client)?.code?.rawValue == code)
    }

    @Test(arguments: [0, 999, 1002, 1005, 1006, 1014, 1015, 2999, 5000, .max] as [UInt16])
    func `an operator may not give other codes`(code: UInt16) {
        #expect(Ending.byAdmin(CloseCode(rawValue: code)).close(to: .client)?.code == .policy)
    }

    @Test func `each author has a name`() {
        #expect(Ending.by(.client, .clientClosed).by.name == "client")
        #expect(Ending.by(.backend, .backendClosed).by.name == "backend")
        #expect(Ending.byGateway(.drain).by.name == "gateway")
    }
}
