public import Configuration
internal import DequeModule
internal import Synchronization
internal import System

/// The log: a bounded queue to which any thread writes, and a thread that moves it to a file. All records pass here, also those that are for
/// the listeners of `feed` alone.
///
/// A full pipe or a slow disk never delays a frame. Lines that do not fit the queue or that the file does not accept (a full disk, a pipe
/// without a reader) are counted, and the count is logged as soon as there is room.
public final class Log: Sendable {
    /// The most bytes in the queue. One line can be as long as a request's head.
    private static let capacity = 4 << 20
    /// How long `close` waits for a file that accepts nothing.
    private static let lastWait = Duration.seconds(1)

    private struct Ring {
        var lines = Deque<[UInt8]>()
        var bytes = 0
        /// Lines that did not fit since the last line that said so.
        var dropped = 0
        var droppedEver: UInt64 = 0
        /// Whether to open the file again before these lines are written.
        var isReopening = false
        var isClosed = false
    }

    /// Gets the records of events, whatever their level.
    public let feed: EventFeed

    private let ring = Mutex(Ring())
    private let doorbell: Doorbell
    /// `nil` for standard error.
    private let path: String?
    private let formatter: LogFormatter
    private let severity: Int
    private let writer = Mutex<Thread.Handle?>(nil)

    /// Opens the file and starts the thread that writes to it.
    ///
    /// - Throws: `SystemError` if the file cannot be opened or the thread cannot be started.
    public init(_ settings: GatewayConfiguration.Log) throws {
        let file: OutputFile = if let path = settings.file { try .appending(to: path) } else { .standardError }
        self.path = settings.file
        self.formatter =
            switch settings.format {
            case .auto: file.isTerminal ? .text : .json
            case .text: .text
            case .json: .json
            }
        self.severity = settings.level.severity
        self.doorbell = try Doorbell()
        self.feed = try EventFeed()
        let thread = try Thread.start("gateway-log") { [self] in self.run(file) }
        self.writer.withLock { $0 = thread }
    }

    /// Whether such a record goes anywhere. If not, it need not be made.
    public func takes(_ level: LogLevel, _ event: String) -> Bool {
        self.writes(level) || self.feed.name(of: event) != nil
    }

    private func writes(_ level: LogLevel) -> Bool { level.severity >= self.severity }

    /// How many lines were not written, since the start.
    public var droppedLines: UInt64 { self.ring.withLock { $0.droppedEver } }

    /// Writes a record, unless its level is below that of the log, and hands an event to the listener.
    public func write(_ record: LogRecord) {
        let name = self.feed.name(of: record.event)
        let isWritten = self.writes(record.level)
        guard isWritten || name != nil else { return }
        let time = WallClock.rfc3339()
        if let name { self.feed.hand { LogFormatter.event(name, record, time: time) } }
        if isWritten { self.append(self.formatter.line(record, time: time)) }
    }

    private func append(_ line: [UInt8]) {
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

    /// Writes a record with one field, the reason.
    public func write(_ level: LogLevel, _ event: String, reason: String) {
        var record = LogRecord(level, event)
        record.add("reason", reason)
        self.write(record)
    }

    /// Opens the file again, after it was moved. Lines from now on go to the new file, or to the old one if the new one cannot be opened.
    public func reopen() {
        self.ring.withLock { $0.isReopening = true }
        self.doorbell.ring()
    }

    /// Writes what is left and ends the thread. It waits `lastWait` at most for a file that accepts nothing, because the process must be
    /// able to end.
    public func close() {
        self.ring.withLock { $0.isClosed = true }
        self.doorbell.ring()
        let thread = self.writer.withLock { writer in
            defer { writer = nil }
            return writer
        }
        thread?.join(within: Self.lastWait)
    }

    private func run(_ file: OutputFile) {
        var file = file
        var writer = LogWriter(self.formatter)
        while true {
            self.doorbell.wait()
            let (lines, dropped, isReopening, isClosed) = self.ring.withLock { ring in
                defer {
                    ring.lines = []
                    ring.bytes = 0
                    ring.dropped = 0
                    ring.isReopening = false
                }
                return (ring.lines, ring.dropped, ring.isReopening, ring.isClosed)
            }
            // Opened on this thread, because a file system may block.
            if isReopening { file = self.reopened(file) }
            let lost = writer.write(lines, dropped: dropped, time: WallClock.rfc3339, file.append)
            if lost > 0 { self.ring.withLock { $0.droppedEver += UInt64(lost) } }
            if isClosed { return }
        }
    }

    /// The file for the lines from now on.
    private func reopened(_ old: OutputFile) -> OutputFile {
        guard let path = self.path else {
            self.write(.warning, "log-reopen-failed", reason: "there is no `log.file`: the log goes to standard error")
            return old
        }
        do throws(SystemError) {
            let file = try OutputFile.appending(to: path)
            var record = LogRecord(.info, "log-reopened")
            record.add("file", path)
            self.write(record)
            return file
        } catch {
            self.write(
                .error, "log-reopen-failed",
                reason: "\(path): \(error.reason): the log goes on in the file that was open")
            return old
        }
    }
}
