import Testing
import WebSocketProtocol

@testable import Sessions

/// Built-in services: the client's leg is the only one.
@Suite struct SingleLegClosingTests {
    private typealias Action = ClosingHandshake.LegAction

    @Test(arguments: [CloseCode.normal, CloseCode(rawValue: 4000), nil])
    func `a Close is answered with its code`(code: CloseCode?) {
        var closing = ClosingHandshake.of(.serve)
        #expect(closing.isOpen)
        let actions = closing.received(CloseFrame(code: code, reason: "bye"), from: .client)
        #expect(actions.client == Action(say: .close(CloseFrame(code: code)), end: .shutDown))
        #expect(actions.backend == Action())
        #expect(closing.ending == .by(.client, .clientClosed))
        #expect(closing.code == code)
        #expect(!closing.reads(from: .client))
    }

    @Test(arguments: [false, true]) func `the client's end ends the session`(inOrder: Bool) {
        var closing = ClosingHandshake.of(.serve)
        let actions = closing.happened(.ended(.client, inOrder ? .inOrder : .failed), .anywhere)
        #expect(actions == ClosingHandshake.Actions(client: Action(end: inOrder ? .shutDown : .close)))
        #expect(closing.ending == .by(.client, .clientGone))
        #expect(closing.code == nil)
    }

    @Test func `a violation is told, and no answer is awaited`() {
        var closing = ClosingHandshake.of(.serve)
        let actions = closing.violated(.invalidUTF8, by: .client, .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        #expect(actions.backend == Action())
    }

    @Test(arguments: [
        (Ending.byGateway(.slowConsumer), CloseCode.tryAgainLater), (.byGateway(.drain), .serviceRestart),
    ])
    func `our Close is followed by our end`(ending: Ending, code: CloseCode) {
        var closing = ClosingHandshake.of(.serve)
        let actions = closing.close(ending, .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        #expect(closing.code == code)
        #expect(closing.reads(from: .client))
        #expect(closing.awaits(.client) == .end)
        #expect(closing.received(CloseFrame(code: code), from: .client) == .none)
    }

    /// A client that has answered only has its own end left: a stall then does not change the cause.
    @Test func `a client that stalls after its Close is aborted`() {
        var closing = ClosingHandshake.of(.serve)
        _ = closing.received(CloseFrame(code: .normal), from: .client)
        #expect(closing.happened(.stalled(.client), .anywhere).client == Action(end: .abort))
        #expect(closing.ending == .by(.client, .clientClosed))
    }
}
