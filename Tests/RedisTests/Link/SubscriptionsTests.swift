import System
import Testing

@testable import Redis

@Suite struct SubscriptionsTests {
    private static func channel(_ number: Int) -> [UInt8] { Array("\(number)".utf8) }

    /// The subscriptions of a test, and the server's part.
    private final class Scene {
        var subscriptions = Subscriptions()

        func want(_ number: Int) { self.subscriptions.want(SubscriptionsTests.channel(number)) }
        func leave(_ number: Int) { self.subscriptions.leave(SubscriptionsTests.channel(number)) }
        func next() -> [[UInt8]]? { self.subscriptions.next(until: .never)?.words }
        func hear(_ kind: String, _ channel: [UInt8]) throws -> Subscriptions.Received {
            try self.subscriptions.received(.push([.text(kind), .bytes(channel), .text("a")]))
        }
        func confirm(_ kind: String, _ channel: [UInt8]) throws -> Subscriptions.Received {
            try self.subscriptions.received(.push([.text(kind), .bytes(channel), .integer(1)]))
        }
    }

    @Test func `channels are subscribed to in batches, one after the other`() throws {
        let scene = Scene()
        for number in 0..<1000 { scene.want(number) }
        let first = try #require(scene.next())
        #expect(first.count == 513 && first[0] == .init("subscribe"))
        #expect(scene.next() == nil)
        for channel in first.dropFirst() {
            #expect(scene.next() == nil)
            #expect(try scene.confirm("subscribe", channel) == .subscribed(channel))
        }
        let second = try #require(scene.next())
        #expect(second.count == 1000 - 512 + 1)
        #expect(Set(first.dropFirst()).isDisjoint(with: second.dropFirst()))
    }

    @Test func `a channel that is left and wanted again meanwhile stays`() throws {
        let scene = Scene()
        let channel = Self.channel(1)
        scene.subscriptions.want(channel)
        #expect(scene.next() == [.init("subscribe"), channel])
        scene.subscriptions.leave(channel)
        scene.subscriptions.want(channel)
        #expect(try scene.confirm("subscribe", channel) == .subscribed(channel))
        #expect(scene.next() == nil)
    }

    @Test func `a channel that is left and wanted again behind another batch is confirmed again`() throws {
        let scene = Scene()
        let channel = Self.channel(1)
        scene.want(1)
        #expect(scene.next() == [.init("subscribe"), channel])
        #expect(try scene.confirm("subscribe", channel) == .subscribed(channel))
        scene.want(2)
        #expect(scene.next() == [.init("subscribe"), Self.channel(2)])
        scene.leave(1)
        scene.want(1)
        #expect(try scene.confirm("subscribe", Self.channel(2)) == .subscribed(Self.channel(2)))
        #expect(scene.next() == [.init("subscribe"), channel])
        #expect(try scene.confirm("subscribe", channel) == .subscribed(channel))
        scene.leave(1)
        #expect(scene.next() == [.init("unsubscribe"), channel])
    }

    @Test func `a channel that is left before it is confirmed is left afterwards, and its messages are not wanted`()
        throws
    {
        let scene = Scene()
        let channel = Self.channel(1)
        scene.subscriptions.want(channel)
        #expect(scene.next() != nil)
        scene.subscriptions.leave(channel)
        #expect(try scene.confirm("subscribe", channel) == .nothing)
        #expect(scene.next() == [.init("unsubscribe"), channel])
        #expect(try scene.hear("message", channel) == .nothing)
        #expect(try scene.confirm("unsubscribe", channel) == .nothing)
        #expect(scene.next() == nil)
    }

    @Test func `a channel that was never sent costs nothing to leave`() {
        let scene = Scene()
        scene.want(1)
        scene.leave(1)
        #expect(scene.next() == nil)
    }

    @Test func `wishes of both kinds go in the order of their coming`() throws {
        let scene = Scene()
        let (first, second, third) = (Self.channel(1), Self.channel(2), Self.channel(3))
        scene.subscriptions.want(first)
        #expect(scene.next() != nil)
        _ = try scene.confirm("subscribe", first)
        scene.subscriptions.want(second)
        scene.subscriptions.leave(first)
        scene.subscriptions.want(third)
        for (kind, channel) in [("subscribe", second), ("unsubscribe", first), ("subscribe", third)] {
            #expect(scene.next() == [.init(kind), channel])
            _ = try scene.confirm(kind, channel)
        }
    }

    @Test func `a new connection subscribes to all that is wanted`() throws {
        let scene = Scene()
        scene.want(1)
        _ = scene.next()
        _ = try scene.confirm("subscribe", Self.channel(1))
        scene.want(2)
        scene.leave(2)
        scene.want(3)
        scene.subscriptions.end()
        let words = try #require(scene.next())
        #expect(Set(words) == [.init("subscribe"), Self.channel(1), Self.channel(3)])
    }
}
