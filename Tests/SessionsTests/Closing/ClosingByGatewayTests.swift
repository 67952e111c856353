import Testing
import WebSocketProtocol

@testable import Sessions

/// Relays that the gateway closes, and peers that do not answer.
@Suite struct ClosingByGatewayTests {
    private typealias Action = ClosingHandshake.LegAction

    private let own = CloseFrame(code: CloseCode(rawValue: 4321), reason: "bye")

    @Test func theGatewayTellsBothAndShutsTheClientsSideDown() {
        var closing = ClosingHandshake.of(.relay)
        var actions = closing.close(.byGateway(.drain), .anywhere)
        #expect(actions.client == Action(say: closing.told(.client), end: .shutDown))
        #expect(actions.backend == Action(say: closing.told(.backend)))
        #expect(closing.awaits(.client) == .end)
        #expect(closing.awaits(.backend) == .close)
        #expect(closing.ending == .byGateway(.drain))
        #expect(closing.code == .serviceRestart)
        #expect(!closing.relays(from: .client))
        #expect(!closing.relays(from: .backend))
        #expect(closing.close(.byGateway(.internalError), .anywhere) == .none)

        #expect(closing.received(CloseFrame(code: .serviceRestart), from: .client) == .none)
        actions = closing.received(CloseFrame(code: .goingAway), from: .backend)
        #expect(actions.backend == Action(end: .wait))
        #expect(closing.code == .serviceRestart)
    }

    @Test(arguments: [Leg.client, .backend]) func aLegInsideOfAFrameIsToldAtItsEnd(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.close(.byGateway(.drain), .anywhere(but: leg))
        #expect(actions[leg] == Action())
        #expect(actions[leg.other].say != .nothing)
        #expect(closing.isWaiting(leg))
        #expect(closing.relays(from: leg.other))
        let later = closing.reachedBoundary(leg)
        let code: CloseCode = leg == .client ? .serviceRestart : .goingAway
        #expect(later[leg].say == closing.told(leg))
        #expect(!closing.relays(from: leg.other))
        #expect(closing.code == .serviceRestart)
        _ = closing.received(CloseFrame(code: code), from: leg)
        #expect(closing.awaits(leg) == .end)
    }

    /// It closed by itself while our Close waited for the frame's end: then ours is the answer, and nothing is left to wait for.
    @Test(arguments: [Leg.client, .backend]) func aLegThatClosedWhileItsCloseWaitedEndsWithIt(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.close(.byGateway(.drain), .anywhere(but: leg))
        #expect(closing.received(self.own, from: leg) == .none)
        let later = closing.reachedBoundary(leg)
        #expect(later[leg].end == leg.quietEnd)
        #expect(later[leg].say != .nothing)
    }

    /// The other side's answer follows that frame at once: the leg hears our Close, not that answer to another one of ours.
    @Test(arguments: [Leg.client, .backend]) func aCloseThatWaitsGoesBeforeTheAnswerToTheOther(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.close(.byGateway(.drain), .anywhere(but: leg))
        let code: CloseCode = leg == .client ? .serviceRestart : .goingAway
        let actions = closing.received(CloseFrame(code: .normal), from: leg.other)
        #expect(actions[leg].say == closing.told(leg))
        #expect(closing.awaits(leg.other) == .end)
        #expect(!closing.isWaiting(leg))
        #expect(closing.code == .serviceRestart)
        _ = closing.received(CloseFrame(code: code), from: leg)
        #expect(closing.awaits(leg) == .end)
    }

    @Test(arguments: [Leg.client, .backend], [false, true])
    func aFrameThatWillNotEndLeavesNoPlaceForTheClose(leg: Leg, inOrder: Bool) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.close(.byGateway(.drain), .anywhere(but: leg))
        let actions = closing.happened(.ended(leg.other, inOrder ? .inOrder : .failed), .anywhere(but: leg))
        #expect(actions[leg] == Action(end: .shutDown))
        #expect(!closing.isWaiting(leg))
    }

    /// We ended the session: whatever a side does after that, the cause stays.
    @Test(arguments: [Leg.client, .backend]) func silenceAfterOurCloseIsNotTheCause(leg: Leg) {
        for event in [ClosingHandshake.Event.stalled(leg), .timeOver(leg), .ended(leg, .failed)] {
            var closing = ClosingHandshake.of(.relay)
            _ = closing.close(.byGateway(.drain), .anywhere)
            let actions = closing.happened(event, .anywhere)
            #expect(actions[leg] == Action(end: event == .stalled(leg) ? .abort : .close))
            #expect(actions[leg.other] == Action())
            #expect(closing.ending == .byGateway(.drain))
        }
    }

    @Test func insideOfAFrameNobodyHearsOfIt() {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.close(.byGateway(.drain), .nowhere)
        #expect(closing.code == nil)
        for leg in [Leg.client, .backend] {
            #expect(closing.happened(.timeOver(leg), .nowhere)[leg] == Action(end: .shutDown))
        }
        #expect(closing.code == nil)
    }
}
