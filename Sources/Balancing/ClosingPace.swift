/// Spreads the closes of many sessions over time, so that their clients do not all come back at once.
public struct ClosingPace: Sendable {
    /// The lowest rate that counts: one close per day.
    private static let lowestRate = 1.0 / 86_400

    /// The number of sessions.
    let count: Int
    /// The length of a slot. Each session has one.
    public let interval: Duration
    /// The part of a slot that jitter may use.
    private let room: Duration

    /// - Parameters:
    ///   - count: the number of sessions.
    ///   - over: the time for all of them. It takes longer if `rate` demands it.
    ///   - rate: the most closes per second; `nil` is no limit.
    public init(count: Int, over: Duration, rate: Double?) {
        self.count = max(0, count)
        let even = max(.zero, over) / max(1, count)
        let shortest = rate.map(Self.shortestInterval) ?? .zero
        self.interval = max(even, shortest)
        // So that two closes are never closer than the rate allows, wherever they are in their slots.
        self.room = self.interval - shortest
    }

    /// The end of the last slot, from the start on.
    public var end: Duration { self.interval * self.count }

    /// When to close the session with that slot, from the start on. The first is closed at once.
    ///
    /// - Parameter jitter: 0..<1. It spreads the others within their slots, as far as the rate allows.
    public func time(ofSlot slot: Int, jitter: Double) -> Duration {
        guard slot > 0 else { return .zero }
        return self.interval * slot + self.room * jitter
    }

    /// Deals the slots to the workers at random, so that all of them close at the same pace.
    ///
    /// - Parameter counts: how many sessions each worker has.
    /// - Returns: for each worker as many slots, in ascending order. Every slot belongs to one worker.
    public static func deal(_ counts: [Int], using generator: inout some RandomNumberGenerator) -> [[Int]] {
        var owners = counts.enumerated().flatMap { worker, count in repeatElement(worker, count: max(0, count)) }
        owners.shuffle(using: &generator)
        var slots: [[Int]] = counts.map { _ in [] }
        for (slot, owner) in owners.enumerated() { slots[owner].append(slot) }
        return slots
    }

    /// The time between two closes at `rate`. Rounded up, so that no second has one too many.
    private static func shortestInterval(rate: Double) -> Duration {
        .nanoseconds(Int((1e9 / (rate > self.lowestRate ? rate : self.lowestRate)).rounded(.up)))
    }
}
