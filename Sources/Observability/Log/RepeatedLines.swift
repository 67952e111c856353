internal import DequeModule
internal import System

/// Decides which log lines are written and which are only counted, for lines that a peer can cause without limit.
///
/// In each window the first lines of a kind are written. The others are counted and reported when the window ends. The number of kinds is
/// bounded: beyond it a line counts as one of a more general kind, of which there must be few. The clock is passed in.
struct RepeatedLines<Key: Hashable> {
    /// A kind of lines that were only counted, and their number.
    struct Rest {
        let key: Key
        let count: Int
    }

    private struct Entry {
        var written = 0
        var left = 0
    }

    /// The most lines of a kind that are written in a window.
    static var mostWritten: Int { 10 }
    static var window: Duration { .seconds(10) }
    /// The most kinds at a time.
    static var mostKeys: Int { 1024 }

    private var entries: [Key: Entry] = [:]
    /// The ends of the current windows. They are in order, because all windows have the same length.
    private var ends: Deque<(key: Key, end: MonotonicInstant)> = []

    init() {}

    /// When the next window ends.
    var next: MonotonicInstant? { self.ends.first?.end }

    /// Whether to write a line. Call it once for each line.
    ///
    /// - Parameter general: the kind that the line counts as if there are too many kinds.
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

    /// Ends the windows that are over, and returns what they have to report.
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
