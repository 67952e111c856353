public import System

/// The subjects that an operator keeps out for a while. The clock is passed in.
public struct RevokedSubjects: Sendable {
    /// How many there can be at a time.
    public static let most = 10_000
    /// The most bytes of one.
    public static let longest = 1000

    /// Until when, by the bytes of the name: two names that look the same are two subjects.
    private var ends: [[UInt8]: MonotonicInstant] = [:]

    /// None.
    public init() {}

    /// Keeps a subject out, no shorter than it is already.
    ///
    /// - Returns: whether there was room for it.
    public mutating func add(_ subject: String, for duration: Duration, now: MonotonicInstant) -> Bool {
        let name = Array(subject.utf8)
        if self.ends[name] == nil, self.ends.count >= Self.most {
            self.ends = self.ends.filter { now < $0.value }
            guard self.ends.count < Self.most else { return false }
        }
        self.ends[name] = max(self.ends[name] ?? now, now + duration)
        return true
    }

    /// Whether a subject is kept out.
    public func has(_ subject: String, now: MonotonicInstant) -> Bool {
        guard !self.ends.isEmpty, let end = self.ends[Array(subject.utf8)] else { return false }
        return now < end
    }

    /// Those that are kept out, and for how many seconds more; a part of one counts as one.
    public func left(now: MonotonicInstant) -> [(subject: String, seconds: Int)] {
        self.ends.compactMap { name, end in
            guard now < end else { return nil }
            let (seconds, rest) = (end - now).components
            return (String(decoding: name, as: UTF8.self), Int(seconds) + (rest > 0 ? 1 : 0))
        }
    }
}
