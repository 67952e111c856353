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
        Row(.by(.backend, .backendGone), client: .badGateway, backend: nil),
        Row(.by(.client, .protocolError), client: .protocolError, backend: .goingAway),
        Row(.by(.backend, .protocolError), client: .badGateway, backend: .protocolError),
        Row(.by(.client, .invalidData), client: .invalidData, backend: .goingAway),
        Row(.by(.backend, .invalidData), client: .badGateway, backend: .invalidData),
        Row(.by(.client, .messageTooBig), client: .messageTooBig, backend: .goingAway),
        Row(.by(.backend, .messageTooBig), client: .badGateway, backend: .messageTooBig),
        Row(.by(.client, .tooManyFragments), client: .messageTooBig, backend: .goingAway),
        Row(.by(.backend, .tooManyFragments), client: .badGateway, backend: .messageTooBig),
        Row(.byGateway(.slowConsumer), client: .tryAgainLater, backend: .goingAway),
        Row(.byGateway(.drain), client: .serviceRestart, backend: .goingAway),
        Row(.byGateway(.internalError), client: .internalError, backend: .internalError),
    ]

    @Test(arguments: table) func eachSideHearsItsCode(row: Row) {
        #expect(row.ending.code(to: .client) == row.client)
        #expect(row.ending.code(to: .backend) == row.backend)
    }

    @Test(arguments: table) func everyCodeMayGoOnTheWireAndAServersWordsGoToClientsOnly(row: Row) {
        #expect(row.ending.code(to: .client)?.isAllowedOnWire != false)
        #expect(row.ending.code(to: .backend)?.isAllowedOnWire != false)
        let serverWords: [CloseCode?] = [.serviceRestart, .tryAgainLater, .badGateway]
        #expect(!serverWords.contains(row.ending.code(to: .backend)))
    }

    @Test(arguments: Violation.allCases) func aViolationIsItsCause(violation: Violation) {
        let cause = Cause(violation)
        #expect(Ending.by(.client, cause).code(to: .client) == violation.closeCode)
        #expect(Ending.by(.backend, cause).code(to: .backend) == violation.closeCode)
    }

    @Test func authorsAreNamed() {
        #expect(Ending.by(.client, .clientClosed).by.name == "client")
        #expect(Ending.by(.backend, .backendClosed).by.name == "backend")
        #expect(Ending.byGateway(.drain).by.name == "gateway")
    }
}
