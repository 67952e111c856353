import Testing
import WebSocketProtocol

@testable import Sessions

/// Relays that the gateway closes, and peers that do not answer.
@Suite struct ClosingByGatewayTests {
    private typealias Action = ClosingHandshake.LegAction

    private let own = CloseFrame(code: CloseCode(rawValue: 4321), reason: "bye")

    @Test func `the gateway tells both sides and shuts the client's leg down`() {
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

    @Test func `the reason that the client got is the gateway's own, once it was sent`() {
        var closing = ClosingHandshake.of(.relay)
        #expect(closing.reason == nil)
        _ = closing.happened(.ended(.backend, .inOrder), .anywhere(but: .client))
        #expect(closing.reason == nil)
        closing = .of(.relay)
        _ = closing.happened(.ended(.backend, .inOrder), .anywhere)
        #expect(closing.reason == "backend connection lost")
        closing = .of(.relay)
        _ = closing.close(.byAdmin(CloseCode(rawValue: 4000), reason: "moved"), .anywhere)
        #expect(closing.reason == "moved")
    }

    @Test func `a reason that a peer has sent is its own`() {
        for leg in [Leg.client, .backend] {
            var closing = ClosingHandshake.of(.relay)
            _ = closing.received(self.own, from: leg)
            _ = closing.received(self.own, from: leg.other)
            #expect(closing.reason == nil)
        }
    }

    @Test(arguments: [Leg.client, .backend]) func `a leg in the middle of a frame is told at its end`(leg: Leg) {
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

    /// The leg closed by itself while our Close waited for the frame's end: then ours is the answer, and nothing is left to wait for.
    @Test(arguments: [Leg.client, .backend]) func `a leg that closed while our Close waited for it ends with ours`(
        leg: Leg
    ) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.close(.byGateway(.drain), .anywhere(but: leg))
        #expect(closing.received(self.own, from: leg) == .none)
        let later = closing.reachedBoundary(leg)
        #expect(later[leg].end == leg.quietEnd)
        #expect(later[leg].say != .nothing)
    }

    /// The other side's answer follows that frame at once. The leg gets our Close, not that answer.
    @Test(arguments: [Leg.client, .backend]) func `a Close that waits goes before the answer to the other side's`(
        leg: Leg
    ) {
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
    func `a frame that will not end leaves no place for the Close`(leg: Leg, inOrder: Bool) {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.close(.byGateway(.drain), .anywhere(but: leg))
        let actions = closing.happened(.ended(leg.other, inOrder ? .inOrder : .failed), .anywhere(but: leg))
        #expect(actions[leg] == Action(end: .shutDown))
        #expect(!closing.isWaiting(leg))
    }

    /// We ended the session, so the cause stays whatever a side does later.
    @Test(arguments: [Leg.client, .backend]) func `silence after our Close is not the cause`(leg: Leg) {
        for event in [ClosingHandshake.Event.stalled(leg), .timeOver(leg), .ended(leg, .failed)] {
            var closing = ClosingHandshake.of(.relay)
            _ = closing.close(.byGateway(.drain), .anywhere)
            let actions = closing.happened(event, .anywhere)
            #expect(actions[leg] == Action(end: event == .stalled(leg) ? .abort : .close))
            #expect(actions[leg.other] == Action())
            #expect(closing.ending == .byGateway(.drain))
        }
    }

    @Test func `a leg in the middle of a frame is not told`() {
        var closing = ClosingHandshake.of(.relay)
        _ = closing.close(.byGateway(.drain), .nowhere)
        #expect(closing.code == nil)
        for leg in [Leg.client, .backend] {
            #expect(closing.happened(.timeOver(leg), .nowhere)[leg] == Action(end: .shutDown))
        }
        #expect(closing.code == nil)
    }
}
