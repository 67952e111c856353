/// Takes turns. A value that each worker keeps for itself.
package struct RoundRobin: Sendable {
    private var next = 0

    package init() {}

    /// The place whose turn it is among `count` places; `nil` if there is none.
    package mutating func choose(among count: Int) -> Int? {
        guard count > 0 else { return nil }
        let chosen = self.next % count
        self.next = (chosen + 1) % count
        return chosen
    }
}
