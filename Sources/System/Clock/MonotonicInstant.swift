internal import Glibc

/// A point in time on the monotonic clock. It says nothing about the time of day.
package struct MonotonicInstant: Hashable, Comparable, Sendable {
    /// Since the clock's own zero.
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// Later than everything that comes.
    package static var never: MonotonicInstant { MonotonicInstant(nanoseconds: .max) }

    package static func now() -> MonotonicInstant {
        var time = timespec()
        // The pointer is used for the length of the call only.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicInstant(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates: a duration of centuries is "never".
    package static func + (instant: Self, duration: Duration) -> Self {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.clampedNanoseconds)
        return Self(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    package static func - (left: Self, right: Self) -> Duration { .nanoseconds(left.nanoseconds - right.nanoseconds) }
}

extension Duration {
    /// Whole nanoseconds, at least `Int64.min` and at most `Int64.max`.
    package var clampedNanoseconds: Int64 {
        // Not from `components`, which divides by a call of its own for each of two parts.
        Int64(clamping: self.attoseconds / 1_000_000_000)
    }

    /// Seconds with a fraction, for logs.
    package var secondsAsDouble: Double { Double(self.clampedNanoseconds) / 1e9 }
}
