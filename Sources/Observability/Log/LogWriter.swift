internal import Configuration
internal import DequeModule
internal import System

/// Writes lines to a file that may not accept them, and counts those that are missing. It does no I/O itself.
///
/// After a failure the file is tried again with the next lines.
struct LogWriter {
    private let formatter: LogFormatter
    /// The number of missing lines that the file does not mention yet; below, why they are missing.
    private var untold = 0
    private var reason: String?
    /// Whether the file ends in the middle of a line.
    private var isTorn = false

    init(_ formatter: LogFormatter) { self.formatter = formatter }

    /// Writes lines, with a notice of lines that are missing before or behind them.
    ///
    /// - Parameters:
    /// - dropped: the number of lines after these that did not fit the queue.
    /// - append: writes bytes to the file and returns how many it accepted.
    /// - Returns: the number of `lines` that are not complete in the file.
    mutating func write(
        _ lines: Deque<[UInt8]>, dropped: Int, time: () -> String,
        _ append: ([UInt8]) -> (taken: Int, failure: SystemError?)
    ) -> Int {
        let newline = UInt8(ascii: "\n")
        var bytes: [UInt8] = []
        var told = 0
        if self.isTorn { bytes.append(newline) }
        if self.untold > 0 {
            bytes += self.notice(self.untold, self.reason, time()) + [newline]
            told = bytes.count
        }
        var ends: [Int] = []
        ends.reserveCapacity(lines.count)
        for line in lines {
            bytes += line
            bytes.append(newline)
            ends.append(bytes.count)
        }
        if dropped > 0 { bytes += self.notice(dropped, nil, time()) + [newline] }
        guard !bytes.isEmpty else { return 0 }
        let (taken, failure) = append(bytes)
        if taken >= told { self.untold = 0 }
        if taken > 0 { self.isTorn = bytes[taken - 1] != newline }
        guard taken < bytes.count else { return 0 }
        // A line that lacks only its newline counts as written: the newline goes before the next lines.
        let lost = ends.count { $0 - 1 > taken }
        self.untold += lost + dropped
        self.reason = failure?.reason
        return lost
    }

    private func notice(_ lines: Int, _ reason: String?, _ time: String) -> [UInt8] {
        var record = LogRecord(.warning, "log-dropped")
        record.add("lines", lines)
        record.add("reason", reason)
        return self.formatter.line(record, time: time)
    }
}
