import Configuration
import Connections
import System
import TLS

@testable import Redis

/// A link on a loop that the test turns, and what its owner is told.
final class LinkUnderTest: RedisLinkOwner {
    let loop: EventLoop
    let context: ConnectionContext
    private(set) var link: RedisLink!
    private(set) var ups = 0
    private(set) var downs: [String] = []
    private(set) var subscribed: [[UInt8]] = []
    private(set) var received: [(channel: [UInt8], payload: [UInt8])] = []

    /// - Parameter loop: that of another one, which outlives this.
    init(
        _ settings: ClusterSettings, tls: TLSClientSettings? = nil, limits: RedisLimits = RedisLimits(),
        times: LinkTimes = LinkTimes(), lookUp: @escaping Resolver.LookUp = Resolver.addresses,
        on loop: EventLoop? = nil
    ) throws {
        let loop = try loop ?? EventLoop()
        self.loop = loop
        self.context = ConnectionContext(loop, readSize: 32 << 10)
        self.link = try RedisLink(
            settings, tls: tls, limits: limits, times: times, lookUp: lookUp, self.context, for: self)
        self.link.start()
    }

    func linkUp() { self.ups += 1 }
    func linkDown(_ reason: String) { self.downs.append(reason) }
    func subscribed(to channel: [UInt8]) { self.subscribed.append(channel) }
    func received(_ payload: [UInt8], on channel: [UInt8]) { self.received.append((channel, payload)) }

    /// The messages that came, as rooms have them.
    var messages: [RoomMessage] { self.received.compactMap { RoomMessage($0.payload) } }

    /// Turns the loop until `condition` holds. Returns whether it does.
    func turn(until condition: () -> Bool) -> Bool {
        let deadline = MonotonicInstant.now() + .seconds(20)
        while !condition(), .now() < deadline { self.loop.turn(waitingAtMost: .milliseconds(100)) }
        return condition()
    }

    /// Turns the loop until there is an answer.
    func wait<Value>(_ ask: (RedisLink, @escaping (Result<Value, RedisFailure>) -> Void) -> Void) throws -> Value {
        var answer: Result<Value, RedisFailure>?
        ask(self.link) { answer = $0 }
        _ = self.turn { answer != nil }
        guard let answer else { throw RedisFailure.unknown("the test waited in vain") }
        return try answer.get()
    }

    func publish(
        _ text: String, in room: RoomKeys, _ bounds: RoomHistoryBounds? = nil, key: String? = nil,
        excluded: String? = nil,
        receivers: Int = 0
    ) throws -> RoomPublished {
        var publication = RoomPublication(Array(text.utf8), isText: true, receivers: receivers)
        publication.idempotencyKey = key.map { Array($0.utf8) }
        publication.excluded = excluded
        return try self.wait { $0.publish(publication, in: room, bounds, then: $1) }
    }

    func recover(_ query: RoomQuery, of room: RoomKeys, _ bounds: RoomHistoryBounds) throws -> RoomRecovery {
        try self.wait { $0.recover(query, of: room, bounds, then: $1) }
    }

    /// Subscribes, and waits until that is confirmed.
    func join(_ channel: [UInt8]) -> Bool {
        self.link.subscribe(to: channel)
        return self.turn { self.subscribed.contains(channel) }
    }

    func end() { self.link.stop() }
}
