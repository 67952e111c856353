import Testing
import WebSocketProtocol

@testable import Proxy

/// Relays: both legs are WebSockets.
@Suite struct ClosingHandshakeTests {
    private typealias Action = ClosingHandshake.LegAction

    private let own = CloseFrame(code: CloseCode(rawValue: 4321), reason: "bye")
    private let other = CloseFrame(code: .goingAway)

    private func closed(by leg: Leg) -> Ending { .by(leg, leg == .client ? .clientClosed : .backendClosed) }
    private func gone(_ leg: Leg) -> Ending { .by(leg, leg == .client ? .clientGone : .backendGone) }

    @Test func anOpenSessionRelaysBothWays() {
        let closing = ClosingHandshake(hasBackend: true)
        #expect(closing.isOpen)
        #expect(closing.ending == nil)
        #expect(closing.code == nil)
        for leg in [Leg.client, .backend] {
            #expect(closing.relays(from: leg))
            #expect(closing.reads(from: leg))
            #expect(!closing.isWaiting(leg))
        }
    }

    // MARK: - Peers close

    @Test(arguments: [Leg.client, .backend]) func aCloseIsRelayedAndSoIsItsAnswer(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        var actions = closing.received(self.own, from: leg)
        #expect(actions[leg] == Action())
        #expect(actions[leg.other] == Action(say: .relayedClose))
        #expect(closing.ending == self.closed(by: leg))
        #expect(closing.code == self.own.code)
        #expect(!closing.reads(from: leg))
        // The other side may still send, for its Close is awaited, and messages before it still count.
        #expect(closing.reads(from: leg.other))
        #expect(closing.relays(from: leg.other))

        actions = closing.received(self.own, from: leg.other)
        #expect(actions[leg] == Action(say: .relayedClose, end: .finish))
        #expect(actions[leg.other] == Action(end: .finish))
        #expect(closing.ending == self.closed(by: leg))
    }

    @Test(arguments: [Leg.client, .backend]) func anAnswerIsOwedFromAClosesArrivalToItsAnswers(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        #expect(!closing.owesAnswer(to: leg))
        _ = closing.received(self.own, from: leg)
        #expect(closing.owesAnswer(to: leg))
        #expect(!closing.owesAnswer(to: leg.other))
        _ = closing.received(self.own, from: leg.other)
        #expect(!closing.owesAnswer(to: leg))
        #expect(!closing.owesAnswer(to: leg.other))
    }

    @Test func aLegThatIsCutIsOwedNothing() {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: .client)
        _ = closing.ended(.client, canSend: .anywhere)
        #expect(!closing.owesAnswer(to: .client))
    }

    @Test(arguments: [Leg.client, .backend]) func aCloseWithoutACodeStaysWithout(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.received(CloseFrame(code: nil), from: leg)
        #expect(actions[leg.other].say == .relayedClose)
        #expect(closing.code == nil)
    }

    /// Both peers close at the same time: each Close is relayed, and is the answer, too.
    @Test(arguments: [Leg.client, .backend]) func crossingClosesAreEachOthersAnswers(first: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: first)
        let actions = closing.received(self.other, from: first.other)
        #expect(actions[first] == Action(say: .relayedClose, end: .finish))
        #expect(actions[first.other] == Action(end: .finish))
        #expect(closing.ending == self.closed(by: first))
        #expect(closing.code == self.own.code)
    }

    @Test(arguments: [Leg.client, .backend]) func whatComesAfterACloseIsNotLookedAt(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg)
        #expect(closing.received(self.other, from: leg) == .none)
        #expect(!closing.relays(from: leg))
        #expect(closing.code == self.own.code)
    }

    // MARK: - Ends of TCP

    @Test(arguments: [Leg.client, .backend]) func anEndWithoutACloseIsTold(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.ended(leg, canSend: .anywhere)
        let code: CloseCode = leg == .client ? .goingAway : .badGateway
        #expect(actions[leg] == Action(end: .cut))
        #expect(actions[leg.other] == Action(say: .close(CloseFrame(code: code))))
        #expect(closing.ending == self.gone(leg))
        #expect(closing.code == (leg == .client ? nil : .badGateway))
        #expect(closing.reads(from: leg.other))
        // The other side answers: that is all.
        let last = closing.received(CloseFrame(code: code), from: leg.other)
        #expect(last[leg.other].end == .finish)
        #expect(last[leg].end == .notYet)
    }

    /// Half a frame was relayed: a Close in it would be taken for its payload.
    @Test(arguments: [Leg.client, .backend]) func anEndInsideOfAFrameCutsTheOtherSide(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.ended(leg, canSend: .anywhere(but: leg.other))
        #expect(actions[leg] == Action(end: .cut))
        #expect(actions[leg.other] == Action(end: .cut))
        #expect(closing.ending == self.gone(leg))
        #expect(closing.code == nil)
    }

    @Test(arguments: [Leg.client, .backend]) func anEndInsteadOfAnAnswerIsAnsweredForIt(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg)
        let actions = closing.ended(leg.other, canSend: .anywhere)
        #expect(actions[leg.other] == Action(end: .cut))
        #expect(actions[leg] == Action(say: .close(CloseFrame(code: self.own.code)), end: .finish))
        #expect(closing.ending == self.closed(by: leg))
        #expect(closing.code == self.own.code)
    }

    /// A peer that ends right behind its Close does not wait for the answer; the other side still gets to give it.
    @Test(arguments: [Leg.client, .backend]) func anEndBehindACloseLeavesTheOtherSideItsTime(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg)
        #expect(closing.ended(leg, canSend: .anywhere)[leg.other] == Action())
        #expect(closing.reads(from: leg.other))
        let actions = closing.received(self.own, from: leg.other)
        #expect(actions[leg.other].end == .finish)
        #expect(closing.ending == self.closed(by: leg))
    }

    // MARK: - Given up

    @Test(arguments: [Leg.client, .backend]) func whoIsSilentIsToldAndNotWaitedFor(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.lost(leg, .pingTimeout(leg), canSend: .anywhere)
        #expect(actions[leg] == Action(say: .close(CloseFrame(code: .goingAway)), end: .cut))
        let code = leg == .client ? CloseCode.goingAway : .badGateway
        #expect(actions[leg.other] == Action(say: .close(CloseFrame(code: code))))
        #expect(closing.ending == .by(leg, .pingTimeout(leg)))
        #expect(closing.code == (leg == .client ? .goingAway : .badGateway))
        // The other side has a closing handshake.
        #expect(!closing.reads(from: leg))
        let last = closing.received(CloseFrame(code: code), from: leg.other)
        #expect(last[leg.other] == Action(end: .finish))
        #expect(last[leg] == Action())
    }

    @Test(arguments: [Leg.client, .backend]) func whoTakesNothingIsCutWithoutAWord(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.lost(leg, .stalled(leg), canSend: .anywhere(but: leg))
        #expect(actions[leg] == Action(end: .cut))
        let code = leg == .client ? CloseCode.goingAway : .badGateway
        #expect(actions[leg.other] == Action(say: .close(CloseFrame(code: code))))
    }

    /// Neither waits for the end of a frame: of the silent side's none comes, and for the silent side nobody waits.
    @Test(arguments: [Leg.client, .backend], [Leg.client, .backend])
    func insideOfAFrameSilenceCuts(leg: Leg, inside: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.lost(leg, .pingTimeout(leg), canSend: .anywhere(but: inside))
        #expect(actions[inside] == Action(end: .cut))
        #expect(!closing.isWaiting(inside))
    }

    @Test(arguments: [Leg.client, .backend]) func whoIsGivenUpWhileClosingIsAnsweredFor(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg.other)
        let actions = closing.lost(leg, .stalled(leg), canSend: .anywhere)
        #expect(actions[leg] == Action(end: .cut))
        #expect(actions[leg.other] == Action(say: .close(CloseFrame(code: self.own.code)), end: .finish))
        #expect(closing.ending == self.closed(by: leg.other))
    }

    @Test func bothSidesGoneIsOver() {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.ended(.client, canSend: .anywhere)
        let actions = closing.ended(.backend, canSend: .anywhere)
        #expect(actions.backend == Action(end: .cut))
        #expect(actions.client == Action())
        #expect(closing.timedOut(canSend: .anywhere) == .none)
        #expect(closing.ending == self.gone(.client))
    }

    // MARK: - Violations

    @Test(
        arguments: [Leg.client, .backend], [Violation.unmaskedFrame, .messageTooBig, .tooManyFragments, .invalidUTF8])
    func whoBreaksARuleHearsWhichAndTheOtherThatItIsOver(leg: Leg, violation: Violation) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.violated(violation, by: leg, canSend: .anywhere)
        // Who broke the rule is not listened to any more: its answer is not awaited.
        #expect(actions[leg] == Action(say: .close(CloseFrame(code: violation.closeCode)), end: .finish))
        let told: CloseCode = leg == .client ? .goingAway : .badGateway
        #expect(actions[leg.other] == Action(say: .close(CloseFrame(code: told))))
        #expect(closing.ending == .by(leg, Cause(violation)))
        #expect(closing.code == (leg == .client ? violation.closeCode : .badGateway))
        #expect(!closing.reads(from: leg))
        #expect(!closing.relays(from: leg.other))
        #expect(closing.received(self.own, from: leg) == .none)
    }

    /// A frame to the culprit is under way, whose end will come: it is told then.
    @Test(arguments: [Leg.client, .backend]) func theCulpritIsToldAtTheEndOfAFrame(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.violated(.reservedBits, by: leg, canSend: .anywhere(but: leg))
        #expect(actions[leg] == Action())
        #expect(closing.isWaiting(leg))
        #expect(closing.relays(from: leg.other), "the rest of that frame")
        let later = closing.reachedBoundary(leg)
        #expect(later[leg] == Action(say: .close(CloseFrame(code: .protocolError)), end: .finish))
        #expect(!closing.isWaiting(leg))
        #expect(closing.reachedBoundary(leg) == .none)
    }

    /// A frame of the culprit's is under way to the other side, and its end will not come.
    @Test(arguments: [Leg.client, .backend]) func theOtherSideIsCutInsideOfTheCulpritsFrame(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.violated(.invalidUTF8, by: leg, canSend: .anywhere(but: leg.other))
        #expect(actions[leg].say == .close(CloseFrame(code: .invalidData)))
        #expect(actions[leg.other] == Action(end: .cut))
    }

    @Test(arguments: [Leg.client, .backend]) func nonsenseInsteadOfAnAnswerIsNoAnswer(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg)
        let actions = closing.violated(.unknownOpcode, by: leg.other, canSend: .anywhere)
        #expect(actions[leg.other] == Action(end: .cut))
        #expect(actions[leg] == Action(say: .close(CloseFrame(code: self.own.code)), end: .finish))
        #expect(closing.ending == self.closed(by: leg))
    }
}
