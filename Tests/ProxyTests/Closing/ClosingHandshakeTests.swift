import Testing
import WebSocketProtocol

@testable import Proxy

/// Relays: both legs are WebSockets.
@Suite struct ClosingHandshakeTests {
    private typealias Action = ClosingHandshake.LegAction

    private let anywhere = PerLeg(client: true, backend: true)
    private let own = CloseFrame(code: CloseCode(rawValue: 4321), reason: "bye")
    private let other = CloseFrame(code: .goingAway)

    private func closed(by leg: Leg) -> Ending { .by(leg, leg == .client ? .clientClosed : .backendClosed) }
    private func gone(_ leg: Leg) -> Ending { .by(leg, leg == .client ? .clientGone : .backendGone) }

    private func boundary(_ leg: Leg, _ isAt: Bool) -> PerLeg<Bool> {
        var canSend = self.anywhere
        canSend[leg] = isAt
        return canSend
    }

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
        _ = closing.ended(.client, canSend: self.anywhere)
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
        let actions = closing.ended(leg, canSend: self.anywhere)
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
        let actions = closing.ended(leg, canSend: self.boundary(leg.other, false))
        #expect(actions[leg] == Action(end: .cut))
        #expect(actions[leg.other] == Action(end: .cut))
        #expect(closing.ending == self.gone(leg))
        #expect(closing.code == nil)
    }

    @Test(arguments: [Leg.client, .backend]) func anEndInsteadOfAnAnswerIsAnsweredForIt(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg)
        let actions = closing.ended(leg.other, canSend: self.anywhere)
        #expect(actions[leg.other] == Action(end: .cut))
        #expect(actions[leg] == Action(say: .close(CloseFrame(code: self.own.code)), end: .finish))
        #expect(closing.ending == self.closed(by: leg))
        #expect(closing.code == self.own.code)
    }

    /// A peer that ends right behind its Close does not wait for the answer; the other side still gets to give it.
    @Test(arguments: [Leg.client, .backend]) func anEndBehindACloseLeavesTheOtherSideItsTime(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg)
        #expect(closing.ended(leg, canSend: self.anywhere)[leg.other] == Action())
        #expect(closing.reads(from: leg.other))
        let actions = closing.received(self.own, from: leg.other)
        #expect(actions[leg.other].end == .finish)
        #expect(closing.ending == self.closed(by: leg))
    }

    // MARK: - Given up

    @Test(arguments: [Leg.client, .backend]) func whoIsSilentIsToldAndNotWaitedFor(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.lost(leg, .pingTimeout(leg), canSend: self.anywhere)
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
        let actions = closing.lost(leg, .stalled(leg), canSend: self.boundary(leg, false))
        #expect(actions[leg] == Action(end: .cut))
        let code = leg == .client ? CloseCode.goingAway : .badGateway
        #expect(actions[leg.other] == Action(say: .close(CloseFrame(code: code))))
    }

    /// Neither waits for the end of a frame: of the silent side's none comes, and for the silent side nobody waits.
    @Test(arguments: [Leg.client, .backend], [Leg.client, .backend])
    func insideOfAFrameSilenceCuts(leg: Leg, inside: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.lost(leg, .pingTimeout(leg), canSend: self.boundary(inside, false))
        #expect(actions[inside] == Action(end: .cut))
        #expect(!closing.isWaiting(inside))
    }

    @Test(arguments: [Leg.client, .backend]) func whoIsGivenUpWhileClosingIsAnsweredFor(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg.other)
        let actions = closing.lost(leg, .stalled(leg), canSend: self.anywhere)
        #expect(actions[leg] == Action(end: .cut))
        #expect(actions[leg.other] == Action(say: .close(CloseFrame(code: self.own.code)), end: .finish))
        #expect(closing.ending == self.closed(by: leg.other))
    }

    @Test func bothSidesGoneIsOver() {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.ended(.client, canSend: self.anywhere)
        let actions = closing.ended(.backend, canSend: self.anywhere)
        #expect(actions.backend == Action(end: .cut))
        #expect(actions.client == Action())
        #expect(closing.timedOut(canSend: self.anywhere) == .none)
        #expect(closing.ending == self.gone(.client))
    }

    // MARK: - Violations

    @Test(
        arguments: [Leg.client, .backend], [Violation.unmaskedFrame, .messageTooBig, .tooManyFragments, .invalidUTF8])
    func whoBreaksARuleHearsWhichAndTheOtherThatItIsOver(leg: Leg, violation: Violation) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.violated(violation, by: leg, canSend: self.anywhere)
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
        let actions = closing.violated(.reservedBits, by: leg, canSend: self.boundary(leg, false))
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
        let actions = closing.violated(.invalidUTF8, by: leg, canSend: self.boundary(leg.other, false))
        #expect(actions[leg].say == .close(CloseFrame(code: .invalidData)))
        #expect(actions[leg.other] == Action(end: .cut))
    }

    @Test(arguments: [Leg.client, .backend]) func nonsenseInsteadOfAnAnswerIsNoAnswer(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg)
        let actions = closing.violated(.unknownOpcode, by: leg.other, canSend: self.anywhere)
        #expect(actions[leg.other] == Action(end: .cut))
        #expect(actions[leg] == Action(say: .close(CloseFrame(code: self.own.code)), end: .finish))
        #expect(closing.ending == self.closed(by: leg))
    }

    // MARK: - We close

    @Test func theGatewayTellsBothAndWaitsForBoth() {
        var closing = ClosingHandshake(hasBackend: true)
        var actions = closing.close(.byGateway(.drain), canSend: self.anywhere)
        #expect(actions.client == Action(say: .close(CloseFrame(code: .serviceRestart))))
        #expect(actions.backend == Action(say: .close(CloseFrame(code: .goingAway))))
        #expect(closing.ending == .byGateway(.drain))
        #expect(closing.code == .serviceRestart)
        #expect(!closing.relays(from: .client))
        #expect(!closing.relays(from: .backend))
        #expect(closing.close(.byGateway(.internalError), canSend: self.anywhere) == .none)

        actions = closing.received(CloseFrame(code: .serviceRestart), from: .client)
        #expect(actions.client == Action(end: .finish))
        #expect(actions.backend == Action())
        actions = closing.received(CloseFrame(code: .goingAway), from: .backend)
        #expect(actions.backend == Action(end: .finish))
        #expect(closing.code == .serviceRestart)
    }

    @Test(arguments: [Leg.client, .backend]) func aLegInsideOfAFrameIsToldAtItsEnd(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        let actions = closing.close(.byGateway(.drain), canSend: self.boundary(leg, false))
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
        _ = closing.close(.byGateway(.drain), canSend: self.boundary(leg, false))
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
        _ = closing.close(.byGateway(.drain), canSend: self.boundary(leg, false))
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
        _ = closing.close(.byGateway(.drain), canSend: self.boundary(leg, false))
        let actions = closing.ended(leg.other, canSend: self.boundary(leg, false))
        #expect(actions[leg] == Action(end: .cut))
        #expect(!closing.isWaiting(leg))
    }

    // MARK: - Silence

    @Test(arguments: [Leg.client, .backend]) func silenceInsteadOfAnAnswerIsAnsweredAndCut(leg: Leg) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg)
        let actions = closing.timedOut(canSend: self.anywhere)
        #expect(actions[leg] == Action(say: .close(CloseFrame(code: self.own.code)), end: .finish))
        #expect(actions[leg.other] == Action(end: .cut))
        #expect(closing.timedOut(canSend: self.anywhere) == .none)
    }

    @Test func silenceAfterOurCloseCutsBoth() {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.close(.byGateway(.drain), canSend: self.anywhere)
        let actions = closing.timedOut(canSend: self.anywhere)
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

/// Half a frame was relayed to a leg that closed, and the other half will not come: no Close may go into it.
@Suite struct ClosingInsideOfAFrameTests {
    private typealias Action = ClosingHandshake.LegAction

    private let own = CloseFrame(code: .normal)

    private func closing(_ leg: Leg) -> (ClosingHandshake, canSend: PerLeg<Bool>) {
        var closing = ClosingHandshake(hasBackend: true)
        _ = closing.received(self.own, from: leg)
        var canSend = PerLeg(client: true, backend: true)
        canSend[leg] = false
        return (closing, canSend)
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
        var canSend = PerLeg(client: true, backend: true)
        canSend[leg] = false
        _ = closing.close(.byGateway(.drain), canSend: canSend)
        canSend[leg] = true
        let actions = closing.violated(.unknownOpcode, by: leg.other, canSend: canSend)
        let code: CloseCode = leg == .client ? .serviceRestart : .goingAway
        #expect(actions[leg] == Action(say: .close(CloseFrame(code: code))))
        #expect(actions[leg.other] == Action(end: .cut))
        #expect(closing.received(CloseFrame(code: code), from: leg)[leg].end == .finish)
    }
}

/// Built-in services and bridges: the client's leg is the only WebSocket.
@Suite struct SingleLegClosingTests {
    private typealias Action = ClosingHandshake.LegAction

    private let anywhere = PerLeg(client: true, backend: true)

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
        let actions = closing.ended(.client, canSend: self.anywhere)
        #expect(actions == ClosingHandshake.Actions(client: Action(end: .cut)))
        #expect(closing.ending == .by(.client, .clientGone))
        #expect(closing.code == nil)
    }

    @Test func aViolationIsToldAndNothingIsAwaited() {
        var closing = ClosingHandshake(hasBackend: false)
        let actions = closing.violated(.invalidUTF8, by: .client, canSend: self.anywhere)
        #expect(actions.client == Action(say: .close(CloseFrame(code: .invalidData)), end: .finish))
        #expect(actions.backend == Action())
    }

    @Test(arguments: [
        (Ending.by(.backend, .backendClosed), CloseCode.normal), (.by(.backend, .backendGone), .badGateway),
        (.byGateway(.slowConsumer), .tryAgainLater), (.byGateway(.drain), .serviceRestart),
    ])
    func ourCloseIsAnsweredOrCut(ending: Ending, code: CloseCode) {
        var closing = ClosingHandshake(hasBackend: false)
        #expect(closing.close(ending, canSend: self.anywhere).client == Action(say: .close(CloseFrame(code: code))))
        #expect(closing.code == code)
        #expect(closing.reads(from: .client))
        var silent = closing
        #expect(closing.received(CloseFrame(code: code), from: .client).client == Action(end: .finish))
        #expect(silent.timedOut(canSend: self.anywhere).client == Action(end: .cut))
    }
}
