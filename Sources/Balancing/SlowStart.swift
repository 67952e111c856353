/// Brings an endpoint that came up to its share of new sessions bit by bit.
public enum SlowStart {
    /// The factor right after coming up. It is high enough for a few sessions, so that failures show early.
    private static let lowest = 0.1

    /// The factor for the endpoint's weight. It rises linearly from 0.1 to 1.
    ///
    /// - Parameters:
    ///   - sinceUp: how long it has been up.
    ///   - over: how long the slow start lasts.
    public static func factor(sinceUp: Duration, over: Duration) -> Double {
        guard sinceUp < over else { return 1 }
        return self.lowest + (1 - self.lowest) * max(0, sinceUp / over)
    }
}
