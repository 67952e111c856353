/// When each of many sessions is closed, so that their clients do not all come back in one instant.
package struct ClosingPace: Sendable {
    /// The lowest rate that counts: one close per day.
    private static let lowestRate = 1.0 / 86_400

    /// How many sessions there are.
    package let count: Int
    /// How long a slot is: each session has one.
    package let interval: Duration
    /// The part of a slot that jitter may use.
    private let room: Duration

    /// `count` sessions in the time `over`, or in more if `rate`, the most closes per second, asks for it.
    package init(count: Int, over: Duration, rate: Double?) {
        self.count = max(0, count)
        let even = max(.zero, over) / max(1, count)
        let shortest = rate.map(Self.shortestInterval) ?? .zero
        self.interval = max(even, shortest)
        // Two closes are never nearer than the rate says, wherever in their slots they are.
        self.room = self.interval - shortest
    }

    /// When the last slot is over.
    package var end: Duration { self.interval * self.count }

    /// When the session with that slot is closed, from the start on. The first is closed at once; `jitter`, 0..<1, spreads
    /// the others within what the rate leaves of their slots.
    package func time(ofSlot slot: Int, jitter: Double) -> Duration {
        guard slot > 0 else { return .zero }
        return self.interval * slot + self.room * jitter
    }

    /// Gives each worker as many slots as it has sessions, in order of time, so that all close at one pace: each slot
    /// belongs to one worker, and which one is left to chance.
    package static func deal(_ counts: [Int], using generator: inout some RandomNumberGenerator) -> [[Int]] {
        var owners = counts.enumerated().flatMap { worker, count in repeatElement(worker, count: max(0, count)) }
        owners.shuffle(using: &generator)
        var slots: [[Int]] = counts.map { _ in [] }
        for (slot, owner) in owners.enumerated() { slots[owner].append(slot) }
        return slots
    }

    /// The time between two closes at `rate`: rounded up, so that a second never has one more.
    private static func shortestInterval(rate: Double) -> Duration {
        .nanoseconds(Int((1e9 / (rate > self.lowestRate ? rate : self.lowestRate)).rounded(.up)))
    }
}
