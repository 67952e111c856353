import Testing
import WebSocketProtocol

@testable import Sessions

/// Built-in services: the client's leg is the only one.
@Suite struct SingleLegClosingTests {
    private typealias Action = ClosingHandshake.LegAction

    @Test(arguments: [CloseCode.normal, CloseCode(rawValue: 4000), nil])
    func aCloseIsAnsweredWithItsCode(code: CloseCode?) {
        var closing = ClosingHandshake.of(.serve)
        #expect(closing.isOpen)
        let actions = closing.received(CloseFrame(code: code, reason: "bye"), from: .client)
        #expect(actions.client == Action(say: .close(CloseFrame(code: code)), end: .shutDown))
        #expect(actions.backend == Action())
        #expect(closing.ending == .by(.client, .clientClosed))
        #expect(closing.code == code)
        #expect(!closing.reads(from: .client))
    }

    @Test(arguments: [false, true]) func theClientsEndIsTheEnd(inOrder: Bool) {
        var closing = ClosingHandshake.of(.serve)
        let actions = closing.happened(.ended(.client, inOrder ? .inOrder : .failed), .anywhere)
        #expect(actions == ClosingHandshake.Actions(client: Action(end: inOrder ? .shutDown : .close)))
        #expect(closing.ending == .by(.client, .clientGone))
        #expect(closing.code == nil)
    }

    @Test func aViolationIsToldAndNothingIsAwaited() {
        var closing = ClosingHandshake.of(.serve)
        let actions = closing.violated(.invalidUTF8, by: .client, .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        #expect(actions.backend == Action())
    }

    @Test(arguments: [
        (Ending.byGateway(.slowConsumer), CloseCode.tryAgainLater), (.byGateway(.drain), .serviceRestart),
    ])
    func ourCloseIsFollowedByOurEnd(ending: Ending, code: CloseCode) {
        var closing = ClosingHandshake.of(.serve)
        let actions = closing.close(ending, .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        #expect(closing.code == code)
        #expect(closing.reads(from: .client))
        #expect(closing.awaits(.client) == .end)
        #expect(closing.received(CloseFrame(code: code), from: .client) == .none)
    }

    /// A client that answered has nothing to wait for but its own end; that it takes nothing does not change what ended the session.
    @Test func aClientThatStallsAfterItsCloseIsAborted() {
        var closing = ClosingHandshake.of(.serve)
        _ = closing.received(CloseFrame(code: .normal), from: .client)
        #expect(closing.happened(.stalled(.client), .anywhere).client == Action(end: .abort))
        #expect(closing.ending == .by(.client, .clientClosed))
    }
}
