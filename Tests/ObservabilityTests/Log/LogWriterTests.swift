import Configuration
import DequeModule
import System
import Testing

@testable import Observability

/// A file that accepts so many bytes and then no more.
private struct Disk {
    var bytes: [UInt8] = []
    var room = Int.max

    mutating func append(_ more: [UInt8]) -> (taken: Int, failure: SystemError?) {
        let taken = min(more.count, self.room)
        self.bytes += more[..<taken]
        self.room -= taken
        return (taken, taken < more.count ? SystemError("write", 28) : nil)
    }

    var lines: [String] { String(decoding: self.bytes, as: UTF8.self).split(separator: "\n").map(String.init) }
}

@Suite struct LogWriterTests {
    private static let time = "2026-03-01T12:00:00.000Z"

    private func write(_ lines: [String], dropped: Int = 0, _ writer: inout LogWriter, _ disk: inout Disk) -> Int {
        let lines = Deque(lines.map { Array($0.utf8) })
        return writer.write(lines, dropped: dropped, time: { Self.time }) { disk.append($0) }
    }

    private func notice(_ lines: Int, _ reason: String? = nil) -> String {
        "\(Self.time) warning log-dropped lines=\(lines)" + (reason.map { " reason=\"\($0)\"" } ?? "")
    }

    @Test func `lines are written, and how many did not fit the queue`() {
        var (writer, disk) = (LogWriter(.text), Disk())
        #expect(self.write(["one", "two"], &writer, &disk) == 0)
        #expect(self.write(["three"], dropped: 7, &writer, &disk) == 0)
        #expect(self.write([], &writer, &disk) == 0)
        #expect(disk.lines == ["one", "two", "three", self.notice(7)])
    }

    @Test func `a full disk accepts no lines, and the next line that it accepts says how many are missing`() {
        var (writer, disk) = (LogWriter(.text), Disk())
        disk.room = 0
        #expect(self.write(["one", "two"], &writer, &disk) == 2)
        #expect(self.write(["three"], dropped: 4, &writer, &disk) == 1)
        #expect(disk.bytes.isEmpty)
        disk.room = .max
        #expect(self.write(["four"], &writer, &disk) == 0)
        #expect(self.write(["five"], &writer, &disk) == 0)
        // Lines that did not fit the queue are counted already, and are reported with the others.
        #expect(disk.lines == [self.notice(7, "No space left on device"), "four", "five"])
    }

    /// For any number of accepted bytes: an incomplete line counts as missing, and no line begins in the middle of another.
    @Test func `a line that is written in part counts as missing`() {
        let lines = ["one", "two", "three"]
        for room in 0...14 {
            var (writer, disk) = (LogWriter(.text), Disk())
            disk.room = room
            let whole = room < 3 ? 0 : room < 7 ? 1 : room < 13 ? 2 : 3
            #expect(self.write(lines, &writer, &disk) == 3 - whole)
            disk.room = .max
            #expect(self.write(["four"], &writer, &disk) == 0)
            let torn = disk.lines.filter { !lines.contains($0) && $0 != "four" && !$0.contains("log-dropped") }
            #expect(disk.lines.filter(lines.contains) == Array(lines[..<whole]))
            #expect(torn.count <= 1)
            #expect(disk.lines.last == "four")
            #expect(disk.lines.contains { $0.contains("lines=\(3 - whole) ") } == (whole < 3))
        }
    }

    @Test func `a notice that a full disk does not accept is written later`() {
        var (writer, disk) = (LogWriter(.text), Disk())
        disk.room = 0
        #expect(self.write(["one"], &writer, &disk) == 1)
        disk.room = 10
        #expect(self.write(["two"], &writer, &disk) == 1)
        disk.room = .max
        #expect(self.write(["three"], &writer, &disk) == 0)
        #expect(Array(disk.lines.suffix(2)) == [self.notice(2, "No space left on device"), "three"])
    }
}
