internal import DequeModule
internal import System

/// Which lines of the log are written, and how many are only counted, where somebody can cause them without end.
///
/// Of lines that are alike the first few of a while are written, and the others counted, to be told when the while is over. What is told
/// apart is bounded: beyond that, lines count as what `general` says, of which there have to be few. The clock is passed in.
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

    /// So many lines are written,
    static var mostWritten: Int { 10 }
    /// within so long.
    static var window: Duration { .seconds(10) }
    /// So many kinds are told apart at a time.
    static var mostKeys: Int { 1024 }

    private var entries: [Key: Entry] = [:]
    /// When what was begun is over: the first one first, as all take the same time.
    private var ends: Deque<(key: Key, end: MonotonicInstant)> = []

    init() {}

    /// When there is something to be told, or nothing to be remembered any more.
    var next: MonotonicInstant? { self.ends.first?.end }

    /// Whether a line is to be written. To be asked once for each.
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

    /// What is over by now, and has something to be told.
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
