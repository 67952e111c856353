import Glibc
import TestSupport
import Testing

@testable import System

@Suite(.serialized) struct OwnProcessTests {
    @Test func `a program is started without our descriptors and signals`() throws {
        SignalSource.block([])
        let report = temporaryPath(".txt")
        unsafe mkfifo(report, 0o600)
        defer { removeFile(report) }
        let script = "{ echo $0 $1; grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd; } > \(report)"
        let reader = unsafe open(report, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { Kernel.close(reader) }
        // With the flag that all descriptors of the gateway have: exec(3) closes them.
        let ours = fcntl(reader, F_DUPFD_CLOEXEC, 700)
        defer { Kernel.close(ours) }
        let number = try OwnProcess.start("/bin/sh", ["sh", "-c", script, "gateway", "--takeover"])
        #expect(number > 0)
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while waitToRead(reader) {
            let count = unsafe read(reader, &buffer, buffer.count)
            guard count > 0 else { break }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.first == "gateway --takeover")
        #expect(lines.contains("SigBlk:\t0000000000000000"))
        let ignored = lines.first { $0.hasPrefix("SigIgn") }.flatMap { UInt64($0.suffix(16), radix: 16) }
        // SIGPIPE is 13, SIGCHLD 17.
        #expect(ignored.map { $0 & (1 << 12 | 1 << 16) } == 0)
        #expect(lines.contains("1"))
        #expect(ours >= 700 && !lines.contains("\(ours)"))
        #expect(throws: SystemError("posix_spawn", ENOENT)) { try OwnProcess.start("/nowhere", ["x"]) }
        #expect(self.end(of: number) == .exited(status: 0))
        #expect(OwnProcess.reap(number) == .unknown)
    }

    private func end(of process: Int32) -> OwnProcess.End {
        // Waits until it has ended, and leaves it to be reaped.
        var info = unsafe siginfo_t()
        _ = unsafe waitid(P_PID, id_t(process), &info, WEXITED | WNOWAIT)
        return OwnProcess.reap(process) ?? .unknown
    }

    /// All of the input, which is more than a pipe holds.
    @Test func `a program reads what it is given`() throws {
        let input = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
        let script = "[ $(wc -c) = 300000 ]"
        #expect(
            self.end(of: try OwnProcess.start("/bin/sh", ["sh", "-c", script], input: input)) == .exited(status: 0))
        let empty = "[ $(wc -c) = 0 ]"
        #expect(self.end(of: try OwnProcess.start("/bin/sh", ["sh", "-c", empty], input: [])) == .exited(status: 0))
    }

    @Test func `the end of a program is known`() throws {
        let failed = try OwnProcess.start("/bin/sh", ["sh", "-c", "exit 3"])
        #expect(self.end(of: failed) == .exited(status: 3))
        let killed = try OwnProcess.start("/bin/sh", ["sh", "-c", "kill -9 $$"])
        #expect(self.end(of: killed) == .killed(signal: 9))
        #expect(OwnProcess.End.killed(signal: 9).description == "was killed by signal 9 (Killed)")
        let running = try OwnProcess.start("/bin/sh", ["sh", "-c", "exec sleep 600"])
        #expect(OwnProcess.reap(running) == nil)
        kill(running, SIGKILL)
        #expect(self.end(of: running) == .killed(signal: SIGKILL))
    }

    @Test func `the path of the program is known`() throws {
        #expect(try OwnProcess.program().hasPrefix("/"))
        #expect(OwnProcess.environment("PATH") != nil)
        #expect(OwnProcess.environment("GATEWAY_TEST_NOTHING") == nil)
    }

    @Test func `the descriptor limit is raised`() {
        let limit = OwnProcess.raiseDescriptorLimit()
        #expect(limit >= 256)
        #expect(OwnProcess.raiseDescriptorLimit() == limit)
    }
}
