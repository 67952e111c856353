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

    @Test func `an open session relays both ways`() {
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

    @Test(arguments: [Leg.client, .backend]) func `a Close is relayed, and so is its answer`(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        var actions = closing.received(self.own, from: leg)
        #expect(actions[leg] == Action())
        #expect(actions[leg.other] == Action(say: .relayedClose))
        #expect(closing.ending == self.closed(by: leg))
        #expect(closing.code == self.own.code)
        #expect(!closing.reads(from: leg))
        #expect(closing.awaits(leg) == .nothing)
        #expect(closing.awaits(leg.other) == .close)
        // The other side may still send until its Close, and its messages still count.
        #expect(closing.reads(from: leg.other))
        #expect(closing.relays(from: leg.other))

        actions = closing.received(self.own, from: leg.other)
        #expect(actions[leg] == Action(say: .relayedClose, end: leg.quietEnd))
        #expect(actions[leg.other] == Action(end: leg.other.quietEnd))
        #expect(closing.awaits(leg) == .end)
        #expect(closing.awaits(leg.other) == .end)
        #expect(closing.ending == self.closed(by: leg))
    }

    @Test(arguments: [Leg.client, .backend]) func `a Close without a code stays without one`(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.received(CloseFrame(code: nil), from: leg)
        #expect(actions[leg.other].say == .relayedClose)
        #expect(closing.code == nil)
    }

    /// Both peers close at the same time: each Close is relayed and counts as the answer.
    @Test(arguments: [Leg.client, .backend]) func `crossing Closes are each other's answers`(first: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: first)
        let actions = closing.received(self.other, from: first.other)
        #expect(actions[first] == Action(say: .relayedClose, end: first.quietEnd))
        #expect(actions[first.other] == Action(end: first.other.quietEnd))
        #expect(closing.ending == self.closed(by: first))
        #expect(closing.code == self.own.code)
    }

    @Test(arguments: [Leg.client, .backend]) func `what comes after a Close is not read`(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        #expect(closing.received(self.other, from: leg) == .none)
        #expect(!closing.relays(from: leg))
        #expect(closing.code == self.own.code)
    }

    // MARK: - Ends of TCP

    @Test(arguments: [Leg.client, .backend], [false, true]) func `an end without a Close is told to the other side`(
        leg: Leg, inOrder: Bool
    ) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.happened(.ended(leg, inOrder ? .inOrder : .failed), .anywhere)
        #expect(actions[leg] == Action(end: inOrder ? .shutDown : .close))
        #expect(actions[leg.other].say == closing.told(leg.other))
        #expect(closing.ending == self.gone(leg))
        #expect(closing.code == (leg == .client ? nil : .internalError))
        #expect(closing.reads(from: leg.other))
        // A client is read until it has seen our Close.
        #expect(closing.isAlone(leg.other) == (leg == .client))
        // The other side answers, which completes the handshake.
        let last = closing.received(self.other, from: leg.other)
        #expect(last[leg] == Action())
        #expect(closing.awaits(leg.other) == .end)
    }

    /// Half a frame was relayed: the peer would take a Close for its payload.
    @Test(arguments: [Leg.client, .backend]) func `an end in the middle of a frame leaves no place for a Close`(
        leg: Leg
    ) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.happened(.ended(leg, .inOrder), .anywhere(but: leg.other))
        #expect(actions[leg.other] == Action(end: .shutDown))
        #expect(closing.ending == self.gone(leg))
        #expect(closing.code == nil)
    }

    /// The side that closed is told that no answer came; it does not get its own code back (RFC 6455 section 1.4).
    @Test(arguments: [Leg.client, .backend], [false, true]) func `an end instead of an answer is no answer`(
        leg: Leg, inOrder: Bool
    ) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        let actions = closing.happened(.ended(leg.other, inOrder ? .inOrder : .failed), .anywhere)
        #expect(actions[leg] == Action(say: closing.told(leg), end: leg.quietEnd))
        #expect(closing.ending == self.gone(leg.other))
        // The client was sent 1011 or, before that, the backend's Close.
        #expect(closing.code == (leg == .client ? .internalError : self.own.code))
    }

    /// A peer that ends right after its Close may still wait for the answer.
    @Test(arguments: [Leg.client, .backend]) func `an end after a Close leaves both sides their time`(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        #expect(closing.happened(.ended(leg, .inOrder), .anywhere) == .none)
        #expect(closing.relays(from: leg.other))
        #expect(closing.awaits(leg) == .nothing)
        let actions = closing.received(self.own, from: leg.other)
        #expect(actions[leg] == Action(say: .relayedClose, end: leg.quietEnd))
        #expect(closing.ending == self.closed(by: leg))
    }

    /// The side owes nothing more, and is owed nothing.
    @Test(arguments: [Leg.client, .backend], [false, true])
    func `a reset after a Close changes nothing`(leg: Leg, stalls: Bool) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        #expect(closing.happened(.ended(leg, .failed), .anywhere)[leg] == Action(end: .close))
        #expect(closing.isAlone(leg.other))
        #expect(!closing.relays(from: leg.other))
        #expect(closing.reads(from: leg.other), "its Close may come")
        // A failure of the other side changes nothing, either.
        let failure = stalls ? ClosingHandshake.Event.stalled(leg.other) : .timeOver(leg.other)
        #expect(closing.happened(failure, .anywhere)[leg] == Action())
        #expect(closing.ending == self.closed(by: leg))
        #expect(closing.code == self.own.code)
    }

    @Test func `a session with both sides gone is over`() {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.happened(.ended(.client, .failed), .anywhere)
        let actions = closing.happened(.ended(.backend, .failed), .anywhere)
        #expect(actions.backend == Action(end: .close))
        #expect(actions.client == Action())
        #expect(closing.ending == self.gone(.client))
    }

    // MARK: - Silence and stalls

    @Test(arguments: [Leg.client, .backend]) func `a silent leg is told and not waited for`(leg: Leg) {
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

    @Test(arguments: [Leg.client, .backend]) func `a leg that accepts nothing is aborted without a Close`(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.happened(.stalled(leg), .anywhere)
        #expect(actions[leg] == Action(end: .abort))
        #expect(actions[leg.other].say == closing.told(leg.other))
    }

    /// Neither side waits for the end of a frame: none comes from the silent side, and the silent side gets no more time.
    @Test(arguments: [Leg.client, .backend], [Leg.client, .backend])
    func `silence in the middle of a frame leaves no place for a Close`(leg: Leg, inside: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.happened(.silent(leg), .anywhere(but: inside))
        #expect(actions[inside] == Action(end: leg == inside ? .close : .shutDown))
        #expect(!closing.isWaiting(inside))
    }

    /// The side that owed a Close stalled or was silent: the side that closed is told so.
    @Test(arguments: [Leg.client, .backend]) func `a leg that owes a Close and stalls is the cause`(leg: Leg) {
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

    /// The side that closed accepts none of its queued bytes. It owes nothing, so the cause stays.
    @Test(arguments: [Leg.client, .backend]) func `a leg that has closed and stalls is not the cause`(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        #expect(closing.happened(.stalled(leg), .anywhere)[leg] == Action(end: .abort))
        #expect(closing.ending == self.closed(by: leg))
        #expect(closing.isAlone(leg.other))
        // What came from it still has to be delivered, so the other side does not end yet.
        #expect(closing.awaits(leg.other) == .close)
    }

    // MARK: - Violations

    @Test(
        arguments: [Leg.client, .backend], [Violation.unmaskedFrame, .messageTooBig, .tooManyFragments, .invalidUTF8])
    func `a leg that breaks a rule is told which, and the other that the session ends`(leg: Leg, violation: Violation) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.violated(violation, by: leg, .anywhere)
        // It is not read any more, so its answer is not awaited.
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

    /// A frame to the leg that broke a rule is in progress, and will end: then it is told.
    @Test(arguments: [Leg.client, .backend]) func `a leg that breaks a rule is told at the end of the frame to it`(
        leg: Leg
    ) {
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

    /// A frame from the leg that broke a rule is in progress to the other side, and will not end.
    @Test(arguments: [Leg.client, .backend])
    func `in the middle of a frame from a leg that breaks a rule the other side is not told`(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        let actions = closing.violated(.invalidUTF8, by: leg, .anywhere(but: leg.other))
        #expect(actions[leg].say == .close(CloseFrame(code: .invalidData, reason: Violation.invalidUTF8.description)))
        #expect(actions[leg.other] == Action(end: .shutDown))
    }

    @Test(arguments: [Leg.client, .backend]) func `invalid bytes instead of an answer are the cause`(leg: Leg) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.received(self.own, from: leg)
        let actions = closing.violated(.unknownOpcode, by: leg.other, .anywhere)
        // It was already sent a Close, and gets no second one.
        #expect(actions[leg.other] == Action(end: leg.other.quietEnd))
        #expect(actions[leg] == Action(say: closing.told(leg), end: leg.quietEnd))
        #expect(closing.ending?.cause == .protocolError && closing.ending?.by == .leg(leg.other))
        #expect(closing.code == (leg == .client ? .internalError : self.own.code))
    }
}
