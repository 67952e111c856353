import Testing
import WebSocketProtocol

@testable import Proxy

/// Relays that the gateway closes, and peers that do not answer.
@Suite struct ClosingByGatewayTests {
    private typealias Action = ClosingHandshake.LegAction

    private let own = CloseFrame(code: CloseCode(rawValue: 4321), reason: "bye")

    @Test func theGatewayTellsBothAndWaitsForBoth() {
        var closing = ClosingHandshake(hasBackend: true)
        var actions = closing.close(.byGateway(.drain), canSend: .anywhere)
        #expect(actions.client == Action(say: .close(CloseFrame(code: .serviceRestart))))
        #expect(actions.backend == Action(say: .close(CloseFrame(code: .goingAway))))
        #expect(closing.ending == .byGateway(.drain))
        #expect(closing.code == .serviceRestart)
        #expect(!closing.relays(from: .client))
        #expect(!closing.relays(from: .backend))
        #expect(closing.close(.byGateway(.internalError), canSend: .anywhere) == .none)

        actions = closing.received(CloseFrame(code: .serviceRestart), from: .client)
        #expect(actions.client == Action(end: .finish))
        #expect(actions.backend == Action())
        actions = closing.received(CloseFrame(code: .goingAway), from: .backend)
        #expect(actions.backend == Action(end: .finish))
        #expect(closing.code == .serviceRestart)
    }

    @Test(arguments: [Leg.client, .backend]) func aLegInsideOfAFrameIsToldAtItsEnd(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.close(.byGateway(.drain), canSend: .anywhere(but: leg))
        #expect(actions[leg] == Action())
        #expect(actions[leg.other].say != .nothing)
        #expect(closing.isWaiting(leg))
        #expect(closing.relays(from: leg.other))
        let later = closing.reachedBoundary(leg)
        let code: CloseCode = leg == .client ? .serviceRestart : .goingAway
        #expect(later[leg] == Action(say: .close(CloseFrame(code: code))))
        #expect(!closing.relays(from: leg.other))
        #expect(closing.code == .serviceRestart)
        #expect(closing.received(CloseFrame(code: code), from: leg)[leg].end == .finish)
    }

    /// It closed by itself while our Close waited for the frame's end: then ours is the answer, and nothing is left to wait for.
    @Test(arguments: [Leg.client, .backend]) func aLegThatClosedWhileItsCloseWaitedIsFinishedWithIt(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.close(.byGateway(.drain), canSend: .anywhere(but: leg))
        let early = closing.received(self.own, from: leg)
        #expect(early[leg] == Action())
        #expect(early[leg.other] == Action())
        let later = closing.reachedBoundary(leg)
        #expect(later[leg].end == .finish)
        #expect(later[leg].say != .nothing)
    }

    /// The other side's answer follows that frame at once: the leg hears our Close, not that answer to another one of ours.
    @Test(arguments: [Leg.client, .backend]) func aCloseThatWaitsGoesBeforeTheAnswerToTheOther(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.close(.byGateway(.drain), canSend: .anywhere(but: leg))
        let code: CloseCode = leg == .client ? .serviceRestart : .goingAway
        let actions = closing.received(CloseFrame(code: .normal), from: leg.other)
        #expect(actions[leg] == Action(say: .close(CloseFrame(code: code))))
        #expect(actions[leg.other].end == .finish)
        #expect(!closing.isWaiting(leg))
        #expect(closing.code == .serviceRestart)
        #expect(closing.received(CloseFrame(code: code), from: leg)[leg].end == .finish)
    }

    @Test(arguments: [Leg.client, .backend]) func aFrameThatWillNotEndCutsWhoWaitsForIt(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.close(.byGateway(.drain), canSend: .anywhere(but: leg))
        let actions = closing.ended(leg.other, canSend: .anywhere(but: leg))
        #expect(actions[leg] == Action(end: .cut))
        #expect(!closing.isWaiting(leg))
    }

    // MARK: - Silence

    @Test(arguments: [Leg.client, .backend]) func silenceInsteadOfAnAnswerIsAnsweredAndCut(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg)
        let actions = closing.timedOut(canSend: .anywhere)
        #expect(actions[leg] == Action(say: .close(CloseFrame(code: self.own.code)), end: .finish))
        #expect(actions[leg.other] == Action(end: .cut))
        #expect(closing.timedOut(canSend: .anywhere) == .none)
    }

    @Test func silenceAfterOurCloseCutsBoth() {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.close(.byGateway(.drain), canSend: .anywhere)
        let actions = closing.timedOut(canSend: .anywhere)
        #expect(actions.client == Action(end: .cut))
        #expect(actions.backend == Action(end: .cut))
    }

    @Test func silenceInsideOfAFrameCutsWithoutAClose() {
        let nowhere = PerLeg(client: false, backend: false)
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.close(.byGateway(.drain), canSend: nowhere)
        #expect(closing.code == nil)
        let actions = closing.timedOut(canSend: nowhere)
        #expect(actions.client == Action(end: .cut))
        #expect(actions.backend == Action(end: .cut))
        #expect(closing.code == nil)
    }
}
