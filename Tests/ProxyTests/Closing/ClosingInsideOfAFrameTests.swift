import Testing
import WebSocketProtocol

@testable import Proxy

/// Half a frame was relayed to a leg that closed, and the other half will not come: no Close may go into it.
@Suite struct ClosingInsideOfAFrameTests {
    private typealias Action = ClosingHandshake.LegAction

    private let own = CloseFrame(code: .normal)

    private func closing(_ leg: Leg) -> (ClosingHandshake, canSend: PerLeg<Bool>) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg)
        return (closing, .anywhere(but: leg))
    }

    @Test(arguments: [Leg.client, .backend]) func silenceOfTheOtherSideCuts(leg: Leg) {
        var (closing, canSend) = self.closing(leg)
        let actions = closing.timedOut(canSend: canSend)
        #expect(actions[leg] == Action(end: .cut))
        #expect(actions[leg.other] == Action(end: .cut))
    }

    @Test(arguments: [Leg.client, .backend]) func theEndOfTheOtherSideCuts(leg: Leg) {
        var (closing, canSend) = self.closing(leg)
        let actions = closing.ended(leg.other, canSend: canSend)
        #expect(actions[leg] == Action(end: .cut))
        #expect(actions[leg.other] == Action(end: .cut))
    }

    @Test(arguments: [Leg.client, .backend]) func nonsenseOfTheOtherSideCuts(leg: Leg) {
        var (closing, canSend) = self.closing(leg)
        let actions = closing.violated(.invalidUTF8, by: leg.other, canSend: canSend)
        #expect(actions[leg] == Action(end: .cut))
        #expect(actions[leg.other] == Action(end: .cut))
    }

    /// Nonsense right behind the frame that our Close waited for.
    @Test(arguments: [Leg.client, .backend]) func aCloseThatWaitedIsSaidBeforeNonsense(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.close(.byGateway(.drain), canSend: .anywhere(but: leg))
        let actions = closing.violated(.unknownOpcode, by: leg.other, canSend: .anywhere)
        let code: CloseCode = leg == .client ? .serviceRestart : .goingAway
        #expect(actions[leg] == Action(say: .close(CloseFrame(code: code))))
        #expect(actions[leg.other] == Action(end: .cut))
        #expect(closing.received(CloseFrame(code: code), from: leg)[leg].end == .finish)
    }
}
