/// `slow-consumer` of a broadcast backend: what becomes of a member that reads too slowly.
public enum SlowConsumer: String, CaseIterable, Sendable {
    /// Its session ends.
    case close
    /// It misses the oldest messages that wait for it.
    case dropOldest = "drop-oldest"
}
