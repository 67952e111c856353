import Testing
import WebSocketProtocol

@testable import Sessions

/// Bridges: the backend's leg is plain TCP, whose end of file is its Close.
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

    @Test func aCloseIsAnsweredWhenTheServerHasEverything() {
        var closing = self.closedByClient()
        let actions = closing.happened(.delivered(.backend), .anywhere)
        #expect(actions == .init(client: Action(say: .close(CloseFrame(code: self.own.code)), end: .shutDown)))
        #expect(!closing.isAwaitingDelivery(of: .backend))
        #expect(closing.happened(.delivered(.backend), .anywhere) == .none)
        #expect(closing.code == self.own.code)
    }

    /// With all that the client sent, and the end of it, the server owes nothing more.
    @Test func afterThatNothingTheServerDoesIsTheCause() {
        for event in [
            ClosingHandshake.Event.ended(.backend, .failed), .timeOver(.backend), .stalled(.backend),
        ] {
            var closing = self.closedByClient()
            _ = closing.happened(.delivered(.backend), .anywhere)
            #expect(closing.happened(event, .anywhere).client == Action())
            #expect(closing.ending == .by(.client, .clientClosed))
        }
    }

    @Test func aServerThatTakesNothingIsTheCause() {
        var closing = self.closedByClient()
        let actions = closing.happened(.stalled(.backend), .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        #expect(actions.backend == Action(end: .abort))
        #expect(closing.ending == .by(.backend, .backendStalled))
        #expect(closing.code == .internalError)
    }

    @Test func aServerThatResetsBeforeItHasEverythingIsGone() {
        var closing = self.closedByClient()
        let actions = closing.happened(.ended(.backend, .failed), .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        #expect(closing.ending == .by(.backend, .backendGone))
    }

    /// It has said all it had to say, and may go on taking.
    @Test func aServersEndAfterTheCloseLeavesItTheRest() {
        var closing = self.closedByClient()
        #expect(closing.happened(.ended(.backend, .inOrder), .anywhere) == .none)
        #expect(closing.isAwaitingDelivery(of: .backend))
        #expect(closing.happened(.delivered(.backend), .anywhere).client.say == .close(CloseFrame(code: self.own.code)))
    }

    @Test func aClientThatIsGoneAfterItsCloseIsNotAnswered() {
        var closing = self.closedByClient()
        _ = closing.happened(.ended(.client, .failed), .anywhere)
        #expect(!closing.isAwaitingDelivery(of: .backend))
        #expect(closing.happened(.delivered(.backend), .anywhere) == .none)
        #expect(closing.happened(.stalled(.backend), .anywhere).client == Action())
        #expect(closing.ending == .by(.client, .clientClosed))
    }

    // MARK: - The server ends

    @Test func aServersEndIsANormalClosure() {
        var closing = ClosingHandshake.of(.bridge)
        let actions = closing.happened(.ended(.backend, .inOrder), .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        // What the client sent before goes out, and then our end.
        #expect(actions.backend == Action(end: .shutDown))
        #expect(closing.ending == .by(.backend, .backendClosed))
        #expect(closing.code == .normal)
    }

    /// The server has closed: the client still owes its Close.
    @Test func aClientThatGoesWithoutAnAnswerIsTheCause() {
        var closing = ClosingHandshake.of(.bridge)
        _ = closing.happened(.ended(.backend, .inOrder), .anywhere)
        _ = closing.happened(.ended(.client, .inOrder), .anywhere)
        #expect(closing.ending == .by(.client, .clientGone))
        #expect(closing.code == .normal)
    }

    @Test func soIsAClientThatDoesNotAnswer() {
        var closing = ClosingHandshake.of(.bridge)
        _ = closing.happened(.ended(.backend, .inOrder), .anywhere)
        #expect(closing.awaits(.client) == .close)
        var silent = closing
        #expect(silent.happened(.timeOver(.client), .anywhere).client == Action(end: .close))
        #expect(silent.ending == .by(.client, .clientStalled))
        #expect(closing.received(CloseFrame(code: .normal), from: .client) == .none)
        #expect(closing.awaits(.client) == .end)
    }

    @Test func aServersResetIsAFailure() {
        var closing = ClosingHandshake.of(.bridge)
        let actions = closing.happened(.ended(.backend, .failed), .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        #expect(actions.backend == Action(end: .close))
        #expect(closing.ending == .by(.backend, .backendGone))
    }

    // MARK: - Other ends

    @Test(arguments: [false, true]) func aClientThatGoesBetweenMessagesEndsTheServerInOrder(inOrder: Bool) {
        var closing = ClosingHandshake.of(.bridge)
        let actions = closing.happened(.ended(.client, inOrder ? .inOrder : .failed), .anywhere)
        #expect(actions.backend == Action(end: .shutDown))
        #expect(closing.ending == .by(.client, .clientGone))
    }

    /// A cut upload must not look complete.
    @Test func aClientThatGoesInsideOfAMessageResetsTheServer() {
        for event in [ClosingHandshake.Event.ended(.client, .inOrder), .silent(.client)] {
            var closing = ClosingHandshake.of(.bridge)
            #expect(closing.happened(event, self.insideOfMessage).backend == Action(end: .abortDelivered))
            #expect(closing.endWhenDelivered(.backend) == .abort)
        }
    }

    @Test func whatWeEndIsAnEndInOrder() {
        var closing = ClosingHandshake.of(.bridge)
        #expect(closing.close(.byGateway(.drain), self.insideOfMessage).backend == Action(end: .shutDown))
        closing = ClosingHandshake.of(.bridge)
        let actions = closing.violated(.invalidUTF8, by: .client, self.insideOfMessage)
        #expect(actions.backend == Action(end: .shutDown))
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
    }

    /// More of the client's lies unread: the server does not get it, and must not take what it got for all there was.
    @Test func whatIsNotPassedOnResetsTheServer() {
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
