import Testing
import WebSocketProtocol

@testable import Sessions

/// Relays: both legs are WebSockets.
@Suite struct ClosingHandshakeTests {
    private typealias Action = ClosingHandshake.LegAction

    private let own = CloseFrame(code: CloseCode(rawValue: 4321), reason: "bye")
    private let other = CloseFrame(code: .goingAway)

    private func closed(by leg: Leg) -> Ending { .by(leg, leg == .client ? .clientClosed : .backendClosed) }
    private func gone(_ leg: Leg) -> Ending { .by(leg, leg == .client ? .clientGone : .backendGone) }

    @Test func anOpenSessionRelaysBothWays() {
        let closing = ClosingHandshake.of(.relay)
        #expect(closing.isOpen)
        #expect(closing.ending == nil)
        #expect(closing.code == nil)
        for leg in [Leg.client, .backend] {
            #expect(closing.relays(from: leg))
            #expect(closing.reads(from: leg))
            #expect(closing.awaits(leg) == .nothing)
        }
    }

    // MARK: - Peers close

    @Test(arguments: [Leg.client, .backend]) func aCloseIsRelayedAndSoIsItsAnswer(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        var actions = closing.received(self.own, from: leg)
        #expect(actions[leg] == Action())
        #expect(actions[leg.other] == Action(say: .relayedClose))
        #expect(closing.ending == self.closed(by: leg))
        #expect(closing.code == self.own.code)
        #expect(!closing.reads(from: leg))
        #expect(closing.awaits(leg) == .nothing)
        #expect(closing.awaits(leg.other) == .close)
        // The other side may still send, for its Close is awaited, and messages before it still count.
        #expect(closing.reads(from: leg.other))
        #expect(closing.relays(from: leg.other))

        actions = closing.received(self.own, from: leg.other)
        #expect(actions[leg] == Action(say: .relayedClose, end: leg.quietEnd))
        #expect(actions[leg.other] == Action(end: leg.other.quietEnd))
        #expect(closing.awaits(leg) == .end)
        #expect(closing.awaits(leg.other) == .end)
        #expect(closing.ending == self.closed(by: leg))
    }

    @Test(arguments: [Leg.client, .backend]) func aCloseWithoutACodeStaysWithout(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.received(CloseFrame(code: nil), from: leg)
        #expect(actions[leg.other].say == .relayedClose)
        #expect(closing.code == nil)
    }

    /// Both peers close at the same time: each Close is relayed, and is the answer, too.
    @Test(arguments: [Leg.client, .backend]) func crossingClosesAreEachOthersAnswers(first: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: first)
        let actions = closing.received(self.other, from: first.other)
        #expect(actions[first] == Action(say: .relayedClose, end: first.quietEnd))
        #expect(actions[first.other] == Action(end: first.other.quietEnd))
        #expect(closing.ending == self.closed(by: first))
        #expect(closing.code == self.own.code)
    }

    @Test(arguments: [Leg.client, .backend]) func whatComesAfterACloseIsNotLookedAt(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        #expect(closing.received(self.other, from: leg) == .none)
        #expect(!closing.relays(from: leg))
        #expect(closing.code == self.own.code)
    }

    // MARK: - Ends of TCP

    @Test(arguments: [Leg.client, .backend], [false, true]) func anEndWithoutACloseIsTold(leg: Leg, inOrder: Bool) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.happened(.ended(leg, inOrder ? .inOrder : .failed), .anywhere)
        #expect(actions[leg] == Action(end: inOrder ? .shutDown : .close))
        #expect(actions[leg.other].say == closing.told(leg.other))
        #expect(closing.ending == self.gone(leg))
        #expect(closing.code == (leg == .client ? nil : .internalError))
        #expect(closing.reads(from: leg.other))
        // A client is read until it has seen that.
        #expect(closing.isAlone(leg.other) == (leg == .client))
        // The other side answers: that is all.
        let last = closing.received(self.other, from: leg.other)
        #expect(last[leg] == Action())
        #expect(closing.awaits(leg.other) == .end)
    }

    /// Half a frame was relayed: a Close in it would be taken for its payload.
    @Test(arguments: [Leg.client, .backend]) func anEndInsideOfAFrameLeavesNoPlaceForAClose(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.happened(.ended(leg, .inOrder), .anywhere(but: leg.other))
        #expect(actions[leg.other] == Action(end: .shutDown))
        #expect(closing.ending == self.gone(leg))
        #expect(closing.code == nil)
    }

    /// RFC 6455 section 1.4: the one that closed hears that nobody answered it, and not its own code.
    @Test(arguments: [Leg.client, .backend], [false, true]) func anEndInsteadOfAnAnswerIsNoAnswer(
        leg: Leg, inOrder: Bool
    ) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        let actions = closing.happened(.ended(leg.other, inOrder ? .inOrder : .failed), .anywhere)
        #expect(actions[leg] == Action(say: closing.told(leg), end: leg.quietEnd))
        #expect(closing.ending == self.gone(leg.other))
        // The client was sent 1011, or, before that, the backend's own Close.
        #expect(closing.code == (leg == .client ? .internalError : self.own.code))
    }

    /// A peer that ends right behind its Close waits for the answer all the same: that it reads on is all one can see.
    @Test(arguments: [Leg.client, .backend]) func anEndBehindACloseLeavesBothTheirTime(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        #expect(closing.happened(.ended(leg, .inOrder), .anywhere) == .none)
        #expect(closing.relays(from: leg.other))
        #expect(closing.awaits(leg) == .nothing)
        let actions = closing.received(self.own, from: leg.other)
        #expect(actions[leg] == Action(say: .relayedClose, end: leg.quietEnd))
        #expect(closing.ending == self.closed(by: leg))
    }

    /// It owes nothing more, and nobody owes it anything.
    @Test(arguments: [Leg.client, .backend], [false, true])
    func aResetBehindACloseChangesNothing(leg: Leg, stalls: Bool) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        #expect(closing.happened(.ended(leg, .failed), .anywhere)[leg] == Action(end: .close))
        #expect(closing.isAlone(leg.other))
        #expect(!closing.relays(from: leg.other))
        #expect(closing.reads(from: leg.other), "its Close may come")
        // Nor does it that the other side then fails, too.
        let failure = stalls ? ClosingHandshake.Event.stalled(leg.other) : .timeOver(leg.other)
        #expect(closing.happened(failure, .anywhere)[leg] == Action())
        #expect(closing.ending == self.closed(by: leg))
        #expect(closing.code == self.own.code)
    }

    @Test func bothSidesGoneIsOver() {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.happened(.ended(.client, .failed), .anywhere)
        let actions = closing.happened(.ended(.backend, .failed), .anywhere)
        #expect(actions.backend == Action(end: .close))
        #expect(actions.client == Action())
        #expect(closing.ending == self.gone(.client))
    }

    // MARK: - Given up

    @Test(arguments: [Leg.client, .backend]) func aSilentLegIsToldAndNotWaitedFor(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.happened(.silent(leg), .anywhere)
        #expect(actions[leg] == Action(say: closing.told(leg), end: .close))
        #expect(actions[leg.other].say == closing.told(leg.other))
        #expect(closing.ending == .by(leg, .pingTimeout(leg)))
        #expect(closing.code == (leg == .client ? .goingAway : .internalError))
        #expect(!closing.reads(from: leg))
        // The other side has a closing handshake.
        let last = closing.received(self.other, from: leg.other)
        #expect(last[leg] == Action())
        #expect(closing.awaits(leg.other) == .end)
    }

    @Test(arguments: [Leg.client, .backend]) func aLegThatTakesNothingIsAbortedWithoutAWord(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.happened(.stalled(leg), .anywhere)
        #expect(actions[leg] == Action(end: .abort))
        #expect(actions[leg.other].say == closing.told(leg.other))
    }

    /// Neither waits for the end of a frame: of the silent side's none comes, and for the silent side nobody waits.
    @Test(arguments: [Leg.client, .backend], [Leg.client, .backend])
    func insideOfAFrameSilenceLeavesNoPlaceForAClose(leg: Leg, inside: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.happened(.silent(leg), .anywhere(but: inside))
        #expect(actions[inside] == Action(end: leg == inside ? .close : .shutDown))
        #expect(!closing.isWaiting(inside))
    }

    /// It owed a Close, and took nothing or said nothing: the side that closed hears of that.
    @Test(arguments: [Leg.client, .backend]) func aLegThatOwesACloseAndStallsIsTheCause(leg: Leg) {
        for event in [ClosingHandshake.Event.stalled(leg), .timeOver(leg)] {
            var closing = ClosingHandshake.of(.relay)
            _ = closing.received(self.own, from: leg.other)
            let actions = closing.happened(event, .anywhere)
            #expect(actions[leg] == Action(end: event == .stalled(leg) ? .abort : .close))
            #expect(actions[leg.other] == Action(say: closing.told(leg.other), end: leg.other.quietEnd))
            #expect(closing.ending == .by(leg, .stalled(leg)))
            #expect(closing.code == (leg == .client ? self.own.code : .internalError))
        }
    }

    /// The side that closed takes nothing of what is left for it: it owes nothing, so that the cause stays.
    @Test(arguments: [Leg.client, .backend]) func aLegThatHasClosedAndStallsIsNotTheCause(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        #expect(closing.happened(.stalled(leg), .anywhere)[leg] == Action(end: .abort))
        #expect(closing.ending == self.closed(by: leg))
        #expect(closing.isAlone(leg.other))
        // What came from it is still to be delivered: nothing ends the other side yet.
        #expect(closing.awaits(leg.other) == .close)
    }

    // MARK: - Violations

    @Test(
        arguments: [Leg.client, .backend], [Violation.unmaskedFrame, .messageTooBig, .tooManyFragments, .invalidUTF8])
    func aLegThatBreaksARuleHearsWhichAndTheOtherThatItIsOver(leg: Leg, violation: Violation) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.violated(violation, by: leg, .anywhere)
        // It is not listened to any more: its answer is not awaited.
        #expect(
            actions[leg]
                == Action(
                    say: .close(CloseFrame(code: violation.closeCode, reason: violation.description)), end: leg.quietEnd
                ))
        #expect(actions[leg.other].say == closing.told(leg.other))
        #expect(closing.ending == .violated(violation, by: leg, violation.description))
        #expect(closing.code == (leg == .client ? violation.closeCode : .internalError))
        #expect(!closing.reads(from: leg))
        #expect(!closing.relays(from: leg.other))
        #expect(closing.received(self.own, from: leg) == .none)
    }

    /// A frame to the culprit is under way, whose end will come: it is told then.
    @Test(arguments: [Leg.client, .backend]) func theCulpritIsToldAtTheEndOfAFrame(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.violated(.reservedBits, by: leg, .anywhere(but: leg))
        #expect(actions[leg] == Action())
        #expect(closing.isWaiting(leg))
        #expect(closing.relays(from: leg.other), "the rest of that frame")
        let later = closing.reachedBoundary(leg)
        #expect(later[leg] == Action(say: closing.told(leg), end: leg.quietEnd))
        #expect(!closing.isWaiting(leg))
        #expect(closing.reachedBoundary(leg) == .none)
    }

    /// A frame of the culprit's is under way to the other side, and its end will not come.
    @Test(arguments: [Leg.client, .backend]) func theOtherSideHearsNothingInsideOfTheCulpritsFrame(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.violated(.invalidUTF8, by: leg, .anywhere(but: leg.other))
        #expect(actions[leg].say == .close(CloseFrame(code: .invalidData, reason: Violation.invalidUTF8.description)))
        #expect(actions[leg.other] == Action(end: .shutDown))
    }

    @Test(arguments: [Leg.client, .backend]) func nonsenseInsteadOfAnAnswerIsTheCause(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        let actions = closing.violated(.unknownOpcode, by: leg.other, .anywhere)
        // It was sent a Close, and gets no second one.
        #expect(actions[leg.other] == Action(end: leg.other.quietEnd))
        #expect(actions[leg] == Action(say: closing.told(leg), end: leg.quietEnd))
        #expect(closing.ending?.cause == .protocolError && closing.ending?.by == .leg(leg.other))
        #expect(closing.code == (leg == .client ? .internalError : self.own.code))
    }
}
