internal import Glibc

/// A point in time on the monotonic clock, which has no relation to the time of day.
public struct MonotonicInstant: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's own zero.
    public var nanoseconds: Int64

    /// `nanoseconds` count from the clock's own zero.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Later than every other instant.
    public static var never: MonotonicInstant { MonotonicInstant(nanoseconds: .max) }

    /// The current time.
    public static func now() -> MonotonicInstant {
        var time = timespec()
        // The kernel writes this one record.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    /// The earlier one is less.
    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The sum saturates: an instant centuries away is `never`.
    public static func + (instant: Self, duration: Duration) -> Self {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.clampedNanoseconds)
        return Self(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    /// How much later `left` is; negative if it is earlier.
    public static func - (left: Self, right: Self) -> Duration { .nanoseconds(left.nanoseconds - right.nanoseconds) }
}

extension Duration {
    /// Whole nanoseconds, clamped to `Int64`.
    public var clampedNanoseconds: Int64 {
        // Not by `components`, which makes a call for each of its two divisions.
        Int64(clamping: self.attoseconds / 1_000_000_000)
    }

    /// Seconds with a fraction, for logs.
    public var secondsAsDouble: Double { Double(self.clampedNanoseconds) / 1e9 }
}
