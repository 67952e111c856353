import Testing
import WebSocketProtocol

@testable import Proxy

/// Built-in services and bridges: the client's leg is the only WebSocket.
@Suite struct SingleLegClosingTests {
    private typealias Action = ClosingHandshake.LegAction

    @Test(arguments: [CloseCode.normal, CloseCode(rawValue: 4000), nil])
    func aCloseIsAnsweredWithItsCode(code: CloseCode?) {
        var closing = ClosingHandshake(hasBackend: false)
        #expect(closing.isOpen)
        let actions = closing.received(CloseFrame(code: code, reason: "bye"), from: .client)
        #expect(actions.client == Action(say: .close(CloseFrame(code: code)), end: .finish))
        #expect(actions.backend == Action())
        #expect(closing.ending == .by(.client, .clientClosed))
        #expect(closing.code == code)
        #expect(!closing.reads(from: .client))
    }

    @Test func theClientsEndIsTheEnd() {
        var closing = ClosingHandshake(hasBackend: false)
        let actions = closing.ended(.client, canSend: .anywhere)
        #expect(actions == ClosingHandshake.Actions(client: Action(end: .cut)))
        #expect(closing.ending == .by(.client, .clientGone))
        #expect(closing.code == nil)
    }

    @Test func aViolationIsToldAndNothingIsAwaited() {
        var closing = ClosingHandshake(hasBackend: false)
        let actions = closing.violated(.invalidUTF8, by: .client, canSend: .anywhere)
        #expect(actions.client == Action(say: .close(CloseFrame(code: .invalidData)), end: .finish))
        #expect(actions.backend == Action())
    }

    @Test(arguments: [
        (Ending.by(.backend, .backendClosed), CloseCode.normal), (.by(.backend, .backendGone), .badGateway),
        (.byGateway(.slowConsumer), .tryAgainLater), (.byGateway(.drain), .serviceRestart),
    ])
    func ourCloseIsAnsweredOrCut(ending: Ending, code: CloseCode) {
        var closing = ClosingHandshake(hasBackend: false)
        #expect(closing.close(ending, canSend: .anywhere).client == Action(say: .close(CloseFrame(code: code))))
        #expect(closing.code == code)
        #expect(closing.reads(from: .client))
        var silent = closing
        #expect(closing.received(CloseFrame(code: code), from: .client).client == Action(end: .finish))
        #expect(silent.timedOut(canSend: .anywhere).client == Action(end: .cut))
    }
}
