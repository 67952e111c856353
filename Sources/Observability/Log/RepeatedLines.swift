internal import DequeModule
internal import System

/// Decides which lines of the log are written and which are only counted, for lines that a peer can cause without limit.
///
/// Of the lines of one kind the first few in a window are written; the rest are counted and reported at its end. The number of kinds is
/// bounded: beyond it a line counts as one of `general`, of which there have to be few. The clock is passed in.
struct RepeatedLines<Key: Hashable> {
    /// Lines that were not written.
    struct Rest {
        let key: Key
        let count: Int
    }

    private struct Entry {
        var written = 0
        var left = 0
    }

    /// How many lines of a kind are written in a window.
    static var mostWritten: Int { 10 }
    static var window: Duration { .seconds(10) }
    /// How many kinds are told apart at a time.
    static var mostKeys: Int { 1024 }

    private var entries: [Key: Entry] = [:]
    /// The ends of the windows that were begun, in order, because all are of the same length.
    private var ends: Deque<(key: Key, end: MonotonicInstant)> = []

    init() {}

    /// When the next window ends.
    var next: MonotonicInstant? { self.ends.first?.end }

    /// Whether to write a line. To be called once for each line.
    mutating func takes(_ key: Key, orAs general: Key, at now: MonotonicInstant) -> Bool {
        let isToldApart = self.entries.count < Self.mostKeys || self.entries[key] != nil
        let key = isToldApart ? key : general
        var entry = self.entries[key] ?? Entry()
        if entry.written == 0 { self.ends.append((key, now + Self.window)) }
        let isWritten = entry.written < Self.mostWritten
        if isWritten { entry.written += 1 } else { entry.left += 1 }
        self.entries[key] = entry
        return isWritten
    }

    /// The windows that have ended with lines to report.
    mutating func takeEnded(at now: MonotonicInstant) -> [Rest] {
        var rests: [Rest] = []
        while let first = self.ends.first, first.end <= now {
            self.ends.removeFirst()
            guard let entry = self.entries.removeValue(forKey: first.key), entry.left > 0 else { continue }
            rests.append(Rest(key: first.key, count: entry.left))
        }
        return rests
    }
}
