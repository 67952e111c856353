import Testing
import WebSocketProtocol

@testable import Proxy

@Suite struct EndingTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let ending: Ending
        let client: CloseCode?
        let backend: CloseCode?

        init(_ ending: Ending, client: CloseCode?, backend: CloseCode?) {
            self.ending = ending
            self.client = client
            self.backend = backend
        }

        var testDescription: String { "\(self.ending.cause.rawValue) by \(self.ending.by.name)" }
    }

    /// Each cause and what either side hears of it.
    static let table: [Row] = [
        // The peer's own Close is relayed; a bridged server's end of file is a normal closure.
        Row(.by(.client, .clientClosed), client: nil, backend: nil),
        Row(.by(.backend, .backendClosed), client: .normal, backend: nil),
        Row(.by(.client, .clientGone), client: nil, backend: .goingAway),
        Row(.by(.client, .clientStalled), client: nil, backend: .goingAway),
        Row(.by(.client, .clientPingTimeout), client: .goingAway, backend: .goingAway),
        Row(.by(.backend, .backendGone), client: .internalError, backend: nil),
        Row(.by(.backend, .backendStalled), client: .internalError, backend: nil),
        Row(.by(.backend, .backendPingTimeout), client: .internalError, backend: .goingAway),
        Row(.by(.client, .protocolError), client: .protocolError, backend: .goingAway),
        Row(.by(.backend, .protocolError), client: .internalError, backend: .protocolError),
        Row(.by(.client, .invalidData), client: .invalidData, backend: .goingAway),
        Row(.by(.backend, .invalidData), client: .internalError, backend: .invalidData),
        Row(.by(.client, .messageTooBig), client: .messageTooBig, backend: .goingAway),
        Row(.by(.backend, .messageTooBig), client: .internalError, backend: .messageTooBig),
        Row(.by(.client, .tooManyFragments), client: .messageTooBig, backend: .goingAway),
        Row(.by(.backend, .tooManyFragments), client: .internalError, backend: .messageTooBig),
        Row(.byGateway(.slowConsumer), client: .tryAgainLater, backend: .goingAway),
        Row(.byGateway(.memory), client: .tryAgainLater, backend: .goingAway),
        Row(.byGateway(.idleTimeout), client: .goingAway, backend: .goingAway),
        Row(.byGateway(.sessionTimeout), client: .goingAway, backend: .goingAway),
        Row(.byGateway(.drain), client: .serviceRestart, backend: .goingAway),
        Row(.byGateway(.reload), client: .serviceRestart, backend: .goingAway),
        Row(.byAdmin(), client: .policy, backend: .goingAway),
        Row(.byAdmin(.serviceRestart), client: .serviceRestart, backend: .goingAway),
        Row(.byAdmin(CloseCode(rawValue: 4999), reason: "bye"), client: CloseCode(rawValue: 4999), backend: .goingAway),
        Row(.byGateway(.internalError), client: .internalError, backend: .internalError),
    ]

    @Test(arguments: table) func eachSideHearsItsCode(row: Row) {
        #expect(row.ending.code(to: .client) == row.client)
        #expect(row.ending.code(to: .backend) == row.backend)
    }

    @Test(arguments: table) func everyCodeMayGoOnTheWireAndAServersWordsGoToClientsOnly(row: Row) {
        #expect(row.ending.code(to: .client)?.isAllowedOnWire != false)
        #expect(row.ending.code(to: .backend)?.isAllowedOnWire != false)
        let serverWords: [CloseCode?] = [.serviceRestart, .tryAgainLater]
        #expect(!serverWords.contains(row.ending.code(to: .backend)))
    }

    @Test(arguments: Violation.allCases) func aViolationIsItsCause(violation: Violation) {
        let cause = Cause(violation)
        #expect(Ending.by(.client, cause).code(to: .client) == violation.closeCode)
        #expect(Ending.by(.backend, cause).code(to: .backend) == violation.closeCode)
    }

    @Test func everyCauseIsInTheTable() {
        #expect(Set(Self.table.map(\.ending.cause)) == Set(Cause.allCases))
    }

    @Test func aGivenReasonIsTheClientsOnly() {
        let ending = Ending.byAdmin(.internalError, reason: "sorry")
        #expect(ending.close(to: .client) == CloseFrame(code: .internalError, reason: "sorry"))
        #expect(ending.close(to: .backend) == CloseFrame(code: .goingAway))
    }

    @Test(arguments: [1000, 1001, 1008, 1011, 1012, 3000, 4999] as [UInt16]) func someCodesMayBeGiven(code: UInt16) {
        #expect(Ending.byAdmin(CloseCode(rawValue: code)).code(to: .client)?.rawValue == code)
    }

    @Test(arguments: [0, 999, 1002, 1005, 1006, 1014, 1015, 2999, 5000, .max] as [UInt16])
    func othersMayNot(code: UInt16) {
        #expect(Ending.byAdmin(CloseCode(rawValue: code)).code(to: .client) == .policy)
    }

    @Test func authorsAreNamed() {
        #expect(Ending.by(.client, .clientClosed).by.name == "client")
        #expect(Ending.by(.backend, .backendClosed).by.name == "backend")
        #expect(Ending.byGateway(.drain).by.name == "gateway")
    }
}
