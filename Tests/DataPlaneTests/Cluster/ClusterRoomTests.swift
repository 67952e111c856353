import Testing
import WebSocketProtocol

@testable import Admission
@testable import DataPlane
@testable import Redis
@testable import Sessions

/// A room, and what came out of it.
private struct RoomUnderTest {
    var room: ClusterRoom
    private(set) var delivered: [String] = []
    private(set) var admitted: [(session: SessionID, RoomHistories.Recovery)] = []
    private(set) var compared: [RoomQuery] = []
    private(set) var read: [RoomQuery] = []
    private(set) var losses = 0

    init(_ stage: ClusterRoom.Stage = .subscribing, hasHistory: Bool = true) {
        self.room = ClusterRoom(stage, hasHistory: hasHistory)
    }

    /// A room whose members are behind the `offset`th message.
    static func live(at offset: Int64, epoch: String = "a") -> RoomUnderTest {
        var test = RoomUnderTest()
        test.act { $0.subscribed() }
        test.act { $0.compared(.of(epoch, offset)) }
        return test
    }

    mutating func act(_ change: (inout ClusterRoom) -> [ClusterRoom.Action]) {
        for action in change(&self.room) {
            switch action {
            case .deliver(let message): self.delivered.append(message.text)
            case .admit(let join, let recovery): self.admitted.append((join.session, recovery))
            case .compare(let query): self.compared.append(query)
            case .read(let query, _): self.read.append(query)
            case .historyLost: self.losses += 1
            case .ready: break
            }
        }
    }

    mutating func receive(_ messages: RoomMessage...) {
        for message in messages { self.act { $0.received(message) } }
    }

    mutating func join(_ start: RoomRequest.Start) -> SessionID {
        let session = SessionID.random()
        self.act { $0.join(.init(session, on: 0, from: start)) }
        return session
    }

    /// What the last session that was admitted got: whether it is whole, up to where, and the texts.
    var last: (isWhole: Bool, offset: Int?, texts: [String])? {
        self.admitted.last.map { _, recovery in
            (
                recovery.isWhole, recovery.position?.offset,
                recovery.missed.map { String(decoding: $0.message.payload, as: UTF8.self) }
            )
        }
    }
}

extension RoomMessage {
    fileprivate static func of(_ epoch: String, _ offset: Int64) -> RoomMessage {
        RoomMessage(Array("1 \(offset) \(epoch) 0 t -\n\(offset)".utf8))!
    }

    fileprivate var text: String { String(decoding: self.payload, as: UTF8.self) }
}

extension RoomRecovery {
    fileprivate static func of(
        _ epoch: String, _ offset: Int64, isWhole: Bool = true, _ messages: ClosedRange<Int64>? = nil
    ) -> RoomRecovery {
        let values = (messages.map(Array.init) ?? []).map { number in
            RedisValue.bytes(Array("1 \(number) \(epoch) 0 t -\n\(number)".utf8))
        }
        return RoomRecovery(
            .list([.bytes(Array(epoch.utf8)), .integer(offset), .integer(isWhole ? 1 : 0), .list(values)]))!
    }
}

@Suite struct ClusterRoomTests {
    // MARK: - Joining

    @Test func `a session waits until the subscription is confirmed`() {
        var test = RoomUnderTest(hasHistory: false)
        _ = test.join(.now)
        #expect(test.admitted.isEmpty)
        test.act { $0.subscribed() }
        #expect(test.admitted.count == 1)
        #expect(test.last?.offset == nil)
    }

    @Test func `without a link a session waits for nothing`() {
        var test = RoomUnderTest(.away)
        _ = test.join(.now)
        #expect(test.last?.isWhole == true)
        _ = test.join(.since(epoch: "a", offset: 1))
        #expect(test.last?.isWhole == false)
    }

    @Test func `what waits is admitted when the link ends`() {
        var test = RoomUnderTest()
        _ = test.join(.now)
        test.act { $0.linkDown() }
        #expect(test.admitted.count == 1)
    }

    @Test func `a session that asks for nothing begins where the members are`() {
        var test = RoomUnderTest.live(at: 7)
        _ = test.join(.now)
        #expect(test.last?.offset == 7)
        #expect(test.read.isEmpty)
    }

    @Test func `history that is ahead of the members waits for them`() {
        var test = RoomUnderTest.live(at: 2)
        let session = test.join(.since(epoch: "a", offset: 1))
        #expect(test.read == [.since(RoomPosition(epoch: "a", offset: 1))])
        test.act { $0.read(.of("a", 4, 2...4), for: session) }
        test.receive(.of("a", 3))
        #expect(test.admitted.isEmpty)
        test.receive(.of("a", 4))
        #expect(test.last! == (true, 4, ["2", "3", "4"]))
        #expect(test.delivered == ["3", "4"])
    }

    @Test func `history that is behind the members is completed by what they got`() {
        var test = RoomUnderTest.live(at: 2)
        let session = test.join(.last(2))
        test.receive(.of("a", 3), .of("a", 4))
        test.act { $0.read(.of("a", 3, 2...3), for: session) }
        #expect(test.last! == (true, 4, ["3", "4"]))
    }

    @Test func `history that comes in parts is read to its end`() {
        var test = RoomUnderTest.live(at: 4)
        let session = test.join(.since(epoch: "a", offset: 0))
        test.act { $0.read(.of("a", 4, 1...2), for: session) }
        #expect(test.read.last == .since(RoomPosition(epoch: "a", offset: 2)))
        test.act { $0.read(.of("a", 4, 3...4), for: session) }
        #expect(test.last! == (true, 4, ["1", "2", "3", "4"]))
    }

    @Test func `a gap brings no old message`() {
        var test = RoomUnderTest.live(at: 4)
        let session = test.join(.since(epoch: "a", offset: 1))
        test.act { $0.read(.of("a", 4, isWhole: false), for: session) }
        #expect(test.last! == (false, 4, []))
    }

    @Test func `when the link ends a session gets no more than the members have`() {
        var test = RoomUnderTest.live(at: 2)
        let session = test.join(.since(epoch: "a", offset: 0))
        test.act { $0.read(.of("a", 4, 1...4), for: session) }
        test.act { $0.linkDown() }
        #expect(test.last! == (true, 2, ["1", "2"]))
    }

    // MARK: - Messages

    @Test func `a message is delivered once`() {
        var test = RoomUnderTest.live(at: 2)
        test.receive(.of("a", 2), .of("a", 3), .of("a", 3), .of("a", 1))
        #expect(test.delivered == ["3"])
    }

    @Test func `a message that is missing is read`() {
        var test = RoomUnderTest.live(at: 2)
        test.receive(.of("a", 4), .of("a", 5))
        #expect(test.delivered == [])
        #expect(test.compared.last == .since(RoomPosition(epoch: "a", offset: 2)))
        test.act { $0.compared(.of("a", 4, 3...4)) }
        #expect(test.delivered == ["3", "4", "5"])
    }

    @Test func `a room that was forgotten begins anew`() {
        var test = RoomUnderTest.live(at: 2)
        test.receive(.of("b", 1), .of("b", 2))
        #expect(test.delivered == ["1", "2"])
        #expect(test.losses == 0)
    }

    // MARK: - The link

    @Test func `what was missed while the link was away is delivered in order`() {
        var test = RoomUnderTest.live(at: 2)
        test.act { $0.linkDown() }
        test.room.linkUp()
        test.act { $0.subscribed() }
        test.receive(.of("a", 6))
        test.act { $0.compared(.of("a", 5, 3...4)) }
        #expect(test.compared.last == .since(RoomPosition(epoch: "a", offset: 4)))
        test.act { $0.compared(.of("a", 5, 5...5)) }
        #expect(test.delivered == ["3", "4", "5", "6"])
        #expect(test.losses == 0)
    }

    @Test func `what is gone is a loss`() {
        var test = RoomUnderTest.live(at: 2)
        test.act { $0.linkDown() }
        test.room.linkUp()
        test.act { $0.subscribed() }
        test.act { $0.compared(.of("a", 9, isWhole: false)) }
        #expect(test.losses == 1)
        test.receive(.of("a", 10))
        #expect(test.delivered == ["10"])
    }

    @Test func `a room in which nothing was published has lost nothing`() {
        var test = RoomUnderTest.live(at: 0)
        test.act { $0.linkDown() }
        test.room.linkUp()
        test.act { $0.subscribed() }
        test.act { $0.compared(.of("b", 2, isWhole: false)) }
        #expect(test.compared.last == .since(RoomPosition(epoch: "b", offset: 0)))
        test.act { $0.compared(.of("b", 2, 1...2)) }
        #expect(test.losses == 0)
        #expect(test.delivered == ["1", "2"])
    }

    @Test func `members that joined without a link get what comes after the subscription`() {
        var test = RoomUnderTest(.away)
        _ = test.join(.now)
        test.room.linkUp()
        test.act { $0.subscribed() }
        #expect(test.compared == [.position])
        test.receive(.of("a", 5))
        test.act { $0.compared(.of("a", 6)) }
        test.receive(.of("a", 6))
        #expect(test.delivered == ["5", "6"])
    }

    @Test func `without history nothing is compared`() {
        var test = RoomUnderTest(hasHistory: false)
        test.act { $0.subscribed() }
        test.act { $0.linkDown() }
        test.room.linkUp()
        test.act { $0.subscribed() }
        #expect(test.compared.isEmpty)
        test.receive(RoomMessage(Array("1 - - 0 t -\nx".utf8))!)
        #expect(test.delivered == ["x"])
    }

    @Test func `a server that refuses to say where the room is keeps no session waiting`() {
        var test = RoomUnderTest()
        _ = test.join(.now)
        test.act { $0.subscribed() }
        test.act { $0.cannotCompare() }
        #expect(test.admitted.count == 1)
        let session = test.join(.last(3))
        test.act { $0.cannotRead(for: session) }
        #expect(test.last?.texts == [])
    }
}
