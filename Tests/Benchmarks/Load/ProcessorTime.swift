internal import Glibc
internal import System

/// How long a process has been on a processor so far.
struct ProcessorTime {
    /// The sum of the threads' nanoseconds: exact, but without threads that have ended.
    private let nanoseconds: Int64
    /// In hundredths of a second: only good for the ratio, over many seconds.
    private let userTicks: Int64
    private let systemTicks: Int64

    /// Reads `/proc/PID/task/*/schedstat` and `/proc/PID/stat`.
    init(of pid: Int32) {
        self.nanoseconds = Self.threads(of: pid).reduce(0) { sum, thread in
            // "on CPU, waiting, slices" (Documentation/scheduler/sched-stats.rst). A thread may end before it is read.
            let text = Self.text("/proc/\(pid)/task/\(thread)/schedstat") ?? ""
            return sum + (text.split(separator: " ").first.flatMap { Int64($0) } ?? 0)
        }
        // The second field, the name, may have spaces; it ends at the last parenthesis. Then utime is the 12th
        // field, and stime the 13th (proc_pid_stat(5)).
        guard let text = Self.text("/proc/\(pid)/stat"), let name = text.lastIndex(of: ")") else {
            fail("there is no process \(pid)")
        }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 12, let user = Int64(fields[11]), let system = Int64(fields[12]) else {
            fail("/proc/\(pid)/stat has another form than expected")
        }
        self.userTicks = user
        self.systemTicks = system
    }

    /// What was used since `earlier`, per message.
    func report(pid: Int32, since earlier: ProcessorTime, messages: Int) -> JSON {
        let seconds = Double(self.nanoseconds - earlier.nanoseconds) / 1e9
        return .object([
            "pid": .integer(Int(pid)), "seconds": .number(seconds),
            "user": .number(Double(self.userTicks - earlier.userTicks) / 100),
            "system": .number(Double(self.systemTicks - earlier.systemTicks) / 100),
            "us_per_message": .number(messages > 0 ? seconds * 1e6 / Double(messages) : 0),
        ])
    }

    /// The nanoseconds that this process itself has used.
    static func own() -> Int64 {
        var time = timespec()
        // Sound: the pointer is only used during the call.
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private static func text(_ path: String) -> String? {
        (try? FileContents.read(path)).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func threads(of pid: Int32) -> [String] {
        // Sound: the directory is open for the length of this function, each entry lives until the next `readdir`, and its
        // name, which ends with a NUL, is copied.
        guard let directory = unsafe opendir("/proc/\(pid)/task") else { fail("there is no process \(pid)") }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if Int32(name) != nil { names.append(name) }
        }
        return names
    }
}
