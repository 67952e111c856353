/// An endpoint that came up gets its share of new sessions little by little.
package enum SlowStart {
    /// The factor right after coming up: enough to be chosen, so that the first failures show.
    private static let lowest = 0.1

    /// What to multiply the endpoint's weight with: rises evenly from 0.1 to 1 in the time `over`.
    package static func factor(sinceUp: Duration, over: Duration) -> Double {
        guard sinceUp < over else { return 1 }
        return self.lowest + (1 - self.lowest) * max(0, sinceUp / over)
    }
}
