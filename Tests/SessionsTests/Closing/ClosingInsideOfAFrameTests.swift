import Testing
import WebSocketProtocol

@testable import Sessions

/// Half a frame was relayed to a leg that closed, and the rest will not come: no Close may go into it, but what came is delivered.
@Suite struct ClosingInsideOfAFrameTests {
    private typealias Action = ClosingHandshake.LegAction

    private let own = CloseFrame(code: .normal)

    @Test(arguments: [Leg.client, .backend]) func `whatever the other side does, there is no place for a Close`(
        leg: Leg
    ) {
        let other = leg.other
        let events: [ClosingHandshake.Event] = [
            .timeOver(other), .stalled(other), .ended(other, .inOrder), .ended(other, .failed),
        ]
        for event in events {
            var closing = ClosingHandshake.of(.relay)
            _ = closing.received(self.own, from: leg)
            #expect(closing.happened(event, .anywhere(but: leg))[leg] == Action(end: .shutDown))
        }
    }

    @Test(arguments: [Leg.client, .backend]) func `there is no place for a Close before invalid bytes`(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        let actions = closing.violated(.invalidUTF8, by: leg.other, .anywhere(but: leg))
        #expect(actions[leg] == Action(end: .shutDown))
        #expect(actions[leg.other] == Action(end: leg.other.quietEnd))
    }

    /// Invalid bytes right after the frame that our Close waited for.
    @Test(arguments: [Leg.client, .backend]) func `a Close that waited is sent before invalid bytes end the leg`(
        leg: Leg
    ) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.close(.byGateway(.drain), .anywhere(but: leg))
        let actions = closing.violated(.unknownOpcode, by: leg.other, .anywhere)
        let code: CloseCode = leg == .client ? .serviceRestart : .goingAway
        #expect(actions[leg].say == Ending.byGateway(.drain).close(to: leg).map { .close($0) })
        _ = closing.received(CloseFrame(code: code), from: leg)
        #expect(closing.awaits(leg) == .end)
    }

    @Test(arguments: [Leg.client, .backend]) func `a frame that does not end in time leaves no place for the Close`(
        leg: Leg
    ) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.close(.byGateway(.drain), .anywhere(but: leg))
        #expect(closing.awaits(leg) == .boundary)
        #expect(closing.happened(.timeOver(leg), .anywhere(but: leg))[leg] == Action(end: .shutDown))
        #expect(closing.awaits(leg) == .end)
        #expect(!closing.relays(from: leg.other))
        #expect(closing.reachedBoundary(leg) == .none)
    }
}
