import Testing
import WebSocketProtocol

@testable import Sessions

/// Bridges: the backend's leg is plain TCP, with an end of file in place of a Close.
@Suite struct BridgeClosingTests {
    private typealias Action = ClosingHandshake.LegAction

    private let own = CloseFrame(code: CloseCode(rawValue: 4001), reason: "bye")
    private let insideOfMessage = ClosingHandshake.Places(clientIsInsideOfMessage: true)

    private func closedByClient() -> ClosingHandshake {
        var closing = ClosingHandshake.of(.bridge)
        let actions = closing.received(self.own, from: .client)
        #expect(actions == ClosingHandshake.Actions(backend: Action(end: .shutDown)))
        #expect(closing.isAwaitingDelivery(of: .backend))
        return closing
    }

    // MARK: - The client closes

    @Test func `a Close is answered when the server has everything`() {
        var closing = self.closedByClient()
        let actions = closing.happened(.delivered(.backend), .anywhere)
        #expect(actions == .init(client: Action(say: .close(CloseFrame(code: self.own.code)), end: .shutDown)))
        #expect(!closing.isAwaitingDelivery(of: .backend))
        #expect(closing.happened(.delivered(.backend), .anywhere) == .none)
        #expect(closing.code == self.own.code)
    }

    /// A server that has all of the client's bytes and our end of file owes nothing more.
    @Test func `after the answer nothing that the server does is the cause`() {
        for event in [
            ClosingHandshake.Event.ended(.backend, .failed), .timeOver(.backend), .stalled(.backend),
        ] {
            var closing = self.closedByClient()
            _ = closing.happened(.delivered(.backend), .anywhere)
            #expect(closing.happened(event, .anywhere).client == Action())
            #expect(closing.ending == .by(.client, .clientClosed))
        }
    }

    @Test func `a server that accepts nothing is the cause`() {
        var closing = self.closedByClient()
        let actions = closing.happened(.stalled(.backend), .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        #expect(actions.backend == Action(end: .abort))
        #expect(closing.ending == .by(.backend, .backendStalled))
        #expect(closing.code == .internalError)
    }

    @Test func `a server that resets before it has everything is gone`() {
        var closing = self.closedByClient()
        let actions = closing.happened(.ended(.backend, .failed), .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        #expect(closing.ending == .by(.backend, .backendGone))
    }

    /// The server has sent everything, and may still accept bytes.
    @Test func `a server that ends after the Close still gets the rest`() {
        var closing = self.closedByClient()
        #expect(closing.happened(.ended(.backend, .inOrder), .anywhere) == .none)
        #expect(closing.isAwaitingDelivery(of: .backend))
        #expect(closing.happened(.delivered(.backend), .anywhere).client.say == .close(CloseFrame(code: self.own.code)))
    }

    @Test func `a client that is gone after its Close is not answered`() {
        var closing = self.closedByClient()
        _ = closing.happened(.ended(.client, .failed), .anywhere)
        #expect(!closing.isAwaitingDelivery(of: .backend))
        #expect(closing.happened(.delivered(.backend), .anywhere) == .none)
        #expect(closing.happened(.stalled(.backend), .anywhere).client == Action())
        #expect(closing.ending == .by(.client, .clientClosed))
    }

    // MARK: - The server ends

    @Test func `a server's end is a normal closure`() {
        var closing = ClosingHandshake.of(.bridge)
        let actions = closing.happened(.ended(.backend, .inOrder), .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        // The client's earlier bytes go out, then our end.
        #expect(actions.backend == Action(end: .shutDown))
        #expect(closing.ending == .by(.backend, .backendClosed))
        #expect(closing.code == .normal)
    }

    /// The server has closed: the client still owes its Close.
    @Test func `a client that leaves without an answer is the cause`() {
        var closing = ClosingHandshake.of(.bridge)
        _ = closing.happened(.ended(.backend, .inOrder), .anywhere)
        _ = closing.happened(.ended(.client, .inOrder), .anywhere)
        #expect(closing.ending == .by(.client, .clientGone))
        #expect(closing.code == .normal)
    }

    @Test func `a client that does not answer is the cause`() {
        var closing = ClosingHandshake.of(.bridge)
        _ = closing.happened(.ended(.backend, .inOrder), .anywhere)
        #expect(closing.awaits(.client) == .close)
        var silent = closing
        #expect(silent.happened(.timeOver(.client), .anywhere).client == Action(end: .close))
        #expect(silent.ending == .by(.client, .clientStalled))
        #expect(closing.received(CloseFrame(code: .normal), from: .client) == .none)
        #expect(closing.awaits(.client) == .end)
    }

    @Test func `a server's reset is a failure`() {
        var closing = ClosingHandshake.of(.bridge)
        let actions = closing.happened(.ended(.backend, .failed), .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        #expect(actions.backend == Action(end: .close))
        #expect(closing.ending == .by(.backend, .backendGone))
    }

    // MARK: - Other ends

    @Test(arguments: [false, true]) func `a client that leaves between messages ends the server's leg in order`(
        inOrder: Bool
    ) {
        var closing = ClosingHandshake.of(.bridge)
        let actions = closing.happened(.ended(.client, inOrder ? .inOrder : .failed), .anywhere)
        #expect(actions.backend == Action(end: .shutDown))
        #expect(closing.ending == .by(.client, .clientGone))
    }

    /// An incomplete upload must not look complete.
    @Test func `a client that leaves in the middle of a message resets the server's leg`() {
        for event in [ClosingHandshake.Event.ended(.client, .inOrder), .silent(.client)] {
            var closing = ClosingHandshake.of(.bridge)
            #expect(closing.happened(event, self.insideOfMessage).backend == Action(end: .abortDelivered))
            #expect(closing.endWhenDelivered(.backend) == .abort)
        }
    }

    @Test func `a session that we end gives the server an end in order`() {
        var closing = ClosingHandshake.of(.bridge)
        #expect(closing.close(.byGateway(.drain), self.insideOfMessage).backend == Action(end: .shutDown))
        closing = ClosingHandshake.of(.bridge)
        let actions = closing.violated(.invalidUTF8, by: .client, self.insideOfMessage)
        #expect(actions.backend == Action(end: .shutDown))
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
    }

    /// More of the client's bytes are unread: the server must not take what it got for everything.
    @Test func `bytes that are not passed on reset the server's leg`() {
        let hasMore = ClosingHandshake.Places(clientHasMore: true)
        var closing = ClosingHandshake.of(.bridge)
        #expect(closing.close(.byGateway(.drain), hasMore).backend == Action(end: .abortDelivered))
        closing = ClosingHandshake.of(.bridge)
        #expect(closing.violated(.messageTooBig, by: .client, hasMore).backend == Action(end: .abortDelivered))
        // A server that has ended wants no more.
        closing = ClosingHandshake.of(.bridge)
        #expect(closing.happened(.ended(.backend, .inOrder), hasMore).backend == Action(end: .shutDown))
    }
}
