internal import CLinux
internal import Glibc

/// This process, and the processes that it starts.
public enum OwnProcess {
    /// The process id.
    public static var number: Int32 { getpid() }
    /// The effective user.
    public static var user: UInt32 { geteuid() }

    /// A variable of the environment; `nil` if it is not set.
    public static func environment(_ name: String) -> String? {
        // The text is copied at once. Only `forget` changes the environment, before any thread is started.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Removes a variable, so that processes we start do not take it as their own. Call it before the first thread is started.
    public static func forget(_ name: String) { _ = unsafe unsetenv(name) }

    /// Opens standard input, output and error if they are closed. Otherwise the next socket would get such a number, and its
    /// peer would read our standard error. They are opened for reading only, so that writing still fails. Call it first of all.
    public static func occupyStandardDescriptors() {
        while true {
            let descriptor = unsafe open("/dev/null", O_RDONLY)
            guard descriptor > 2 else {
                if descriptor < 0 { return }
                continue
            }
            close(descriptor)
            return
        }
    }

    /// The path of the running program. Read it at start: after an upgrade has replaced the file, the system marks the path as
    /// deleted.
    public static func program() throws(SystemError) -> String { try Kernel.target(ofLink: "/proc/self/exe") }

    /// Raises the soft limit of descriptors to the hard one. Returns the limit in force.
    @discardableResult
    public static func raiseDescriptorLimit() -> Int {
        var limit = rlimit()
        // The kernel writes and reads this one record.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// Returns the memory that the allocator keeps for reuse to the system. This takes time if there is much, and threads that
    /// allocate may have to wait.
    public static func returnFreeMemory() { gateway_return_memory() }

    /// Starts a program with our environment. It inherits only the first three descriptors. Blocks until the program is loaded.
    /// SIGCHLD reports its end: then call `reap`.
    ///
    /// - Parameters:
    ///   - arguments: the first one is its name.
    ///   - input: what it reads on standard input; `nil` for our own standard input.
    /// - Returns: its process id.
    public static func start(
        _ program: String, _ arguments: [String], input: [UInt8]? = nil
    ) throws(SystemError) -> Int32 {
        var standardInput: Int32 = -1
        if let input {
            // The array's bytes are copied into the file before the call returns.
            standardInput = unsafe input.withUnsafeBytes { unsafe gateway_memory_file($0.baseAddress, $0.count) }
            guard standardInput >= 0 else { throw .last("memfd_create") }
        }
        defer { if standardInput >= 0 { close(standardInput) } }
        // The copies live until the call has returned. By then the new program has its own.
        let copies = unsafe arguments.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        var number: Int32 = -1
        let code = unsafe gateway_start(program, copies + [nil], standardInput, &number)
        guard code == 0 else { throw SystemError("posix_spawn", code) }
        return number
    }

    /// How a process ended.
    public enum End: Equatable, Sendable, CustomStringConvertible {
        /// It ended by itself: 0 says without a fault.
        case exited(status: Int32)
        /// A signal ended it; its number as in signal(7).
        case killed(signal: Int32)
        /// It is not a child of ours, or was reaped before.
        case unknown

        /// The end of a sentence about the process.
        public var description: String {
            switch self {
            case .exited(let status): "exited with status \(status)"
            // The system's text lives as long as the thread, and is copied.
            case .killed(let signal): unsafe "was killed by signal \(signal) (\(String(cString: strsignal(signal))))"
            case .unknown: "ended"
            }
        }
    }

    /// Takes the end of a process from `start`; `nil` if it is still running. The system then forgets the process.
    public static func reap(_ process: Int32) -> End? {
        var status: Int32 = 0
        var signal: Int32 = 0
        // Both numbers are written before the call returns.
        switch unsafe gateway_reap(process, &status, &signal) {
        case 0: return nil
        case 1: return status >= 0 ? .exited(status: status) : .killed(signal: signal)
        default: return .unknown
        }
    }
}
