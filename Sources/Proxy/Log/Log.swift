package import Configuration
internal import DequeModule
internal import EventLoop
internal import Synchronization

/// The log: a bounded ring that any thread writes to, and a thread that empties it into a file.
///
/// No full pipe or slow disk stops a frame: what does not fit the ring, or what the file does not take (a full disk, a pipe that nobody
/// reads any more), is counted, and the count is logged when there is room.
package final class Log: Sendable {
    /// How many bytes wait at most: a line can be as long as the head of a request.
    private static let capacity = 4 << 20
    /// How long `close` waits for a file that takes nothing.
    private static let lastWait = Duration.seconds(1)

    private struct Ring {
        var lines = Deque<[UInt8]>()
        var bytes = 0
        /// Since the last line that said so.
        var dropped = 0
        var droppedEver: UInt64 = 0
        var isClosed = false
    }

    private let ring = Mutex(Ring())
    private let doorbell: Doorbell
    private let file: OutputFile
    private let formatter: LogFormatter
    private let severity: Int
    private let writer = Mutex<Thread.Handle?>(nil)

    /// Opens the file and starts the writing thread.
    package init(_ settings: LogSettings) throws {
        self.file = if let path = settings.file { try OutputFile.appending(to: path) } else { .standardError }
        self.formatter =
            switch settings.format {
            case .auto: self.file.isTerminal ? .text : .json
            case .text: .text
            case .json: .json
            }
        self.severity = settings.level.severity
        self.doorbell = try Doorbell()
        let thread = try Thread.start("gateway-log") { [self] in self.run() }
        self.writer.withLock { $0 = thread }
    }

    /// Whether records of this level are written: others need not be made.
    func takes(_ level: LogSettings.Level) -> Bool { level.severity >= self.severity }

    /// How many lines are not in the file, ever.
    package var droppedLines: UInt64 { self.ring.withLock { $0.droppedEver } }

    /// Writes a record, unless it is below the log's level.
    package func write(_ record: LogRecord) {
        guard self.takes(record.level) else { return }
        let line = self.formatter.line(record, time: WallClock.rfc3339())
        let wasEmpty = self.ring.withLock { ring in
            guard ring.bytes + line.count <= Self.capacity else {
                ring.dropped += 1
                ring.droppedEver += 1
                return false
            }
            ring.lines.append(line)
            ring.bytes += line.count
            return ring.lines.count == 1
        }
        if wasEmpty { self.doorbell.ring() }
    }

    /// A line without fields but a reason, for what goes wrong outside of sessions.
    package func write(_ level: LogSettings.Level, _ event: String, reason: String) {
        var record = LogRecord(level, event)
        record.add("reason", reason)
        self.write(record)
    }

    /// Writes what is left, and ends the thread. A file that takes nothing (a full pipe) is given up: nobody could end the
    /// process any more but by force.
    package func close() {
        self.ring.withLock { $0.isClosed = true }
        self.doorbell.ring()
        let thread = self.writer.withLock { writer in
            defer { writer = nil }
            return writer
        }
        thread?.join(within: Self.lastWait)
    }

    private func run() {
        var writer = LogWriter(self.formatter)
        while true {
            self.doorbell.wait()
            let (lines, dropped, isClosed) = self.ring.withLock { ring in
                defer {
                    ring.lines = []
                    ring.bytes = 0
                    ring.dropped = 0
                }
                return (ring.lines, ring.dropped, ring.isClosed)
            }
            let lost = writer.write(lines, dropped: dropped, time: WallClock.rfc3339, self.file.append)
            if lost > 0 { self.ring.withLock { $0.droppedEver += UInt64(lost) } }
            if isClosed { return }
        }
    }
}
