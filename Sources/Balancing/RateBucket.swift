/// A bucket of tokens that fills at a steady rate. It holds what flows in within a second, but at least one token, and begins full. The clock is
/// passed in: nanoseconds since any zero.
///
/// All that is kept is when it will be full, as in the generic cell rate algorithm (ITU-T I.371 annex A). So a bucket needs no timer, and one
/// that is full is like a new one.
public struct RateBucket: Hashable, Sendable {
    /// When it will be full.
    public private(set) var fullAt: Int64

    /// A full one.
    public init() { self.fullAt = .min }

    /// How long until `amount` may be taken, in nanoseconds; 0: now. More than the bucket holds may be taken when it is full.
    ///
    /// - Parameter rate: tokens per second, above 0.
    public func wait(for amount: Int, at now: Int64, rate: Double) -> Int64 {
        let whole = Self.time(of: max(1, rate), rate: rate)
        let needed = min(Self.time(of: Double(amount), rate: rate), whole)
        return max(0, self.missing(at: now) - (whole - needed))
    }

    /// Takes `amount`. If that is more than there is, the level is below zero until as much has flowed in.
    public mutating func take(_ amount: Int, at now: Int64, rate: Double) {
        let time = self.missing(at: now).addingReportingOverflow(Self.time(of: Double(amount), rate: rate))
        let (full, overflow) = now.addingReportingOverflow(time.overflow ? .max : time.partialValue)
        self.fullAt = overflow ? .max : full
    }

    /// The rate is another one from now on. As many tokens are missing as before.
    public mutating func change(from old: Double, to new: Double, at now: Int64) {
        let missing = Double(self.missing(at: now)) * old / new
        self.fullAt = now.addingReportingOverflow(Self.clamped(missing)).partialValue
    }

    /// How long it takes until it is full.
    private func missing(at now: Int64) -> Int64 { self.fullAt > now ? self.fullAt - now : 0 }

    /// In how many nanoseconds so many tokens flow in. Rounded down, so that a second's worth is never less than promised.
    private static func time(of tokens: Double, rate: Double) -> Int64 { self.clamped(tokens / rate * 1e9) }

    /// Some 70 years are enough.
    private static func clamped(_ nanoseconds: Double) -> Int64 { nanoseconds < 0x1p61 ? Int64(nanoseconds) : 1 << 61 }
}
