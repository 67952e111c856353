internal import CLinux
internal import Glibc

/// This process: its number, its user, and the environment it was started with.
package enum OwnProcess {
    package static var number: Int32 { getpid() }
    /// The user whose rights it has.
    package static var user: UInt32 { geteuid() }

    /// A variable of the environment.
    package static func environment(_ name: String) -> String? {
        // The text is copied at once; nobody changes the environment but `forget`, which is called before threads are started.
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Removes a variable, so that no process we start takes it for its own. To be called before the first thread is started.
    package static func forget(_ name: String) { _ = unsafe unsetenv(name) }

    /// Has standard input, output and error lead to something, whatever the process was started with: a number that is free is the
    /// next socket's, and what is said on standard error would be said to its peer. What was closed stays of no use: it is opened for
    /// reading only, so that writing to it fails. To be called first of all.
    package static func occupyStandardDescriptors() {
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

    /// The file of the program that runs, as it was called when it was started. To be read at start: when an upgrade has replaced the
    /// file, the system says that it is deleted, and the path is the new program's.
    package static func program() throws(SystemError) -> String { try self.path(behind: "/proc/self/exe") }

    /// Where a symbolic link leads.
    static func path(behind link: String) throws(SystemError) -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        // The kernel writes at most `path.count` bytes.
        let count = unsafe readlink(link, &path, path.count)
        guard count >= 0 else { throw .last("readlink") }
        return String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Starts a program with our environment. It inherits no descriptor but the first three. Blocks until the system has read the
    /// program's beginning. SIGCHLD tells when `end` has something to say of it.
    ///
    /// - Parameters:
    ///   - arguments: the first one is its name.
    ///   - input: what it reads on standard input; `nil`: it has ours.
    /// - Returns: the number of its process.
    package static func start(
        _ program: String, _ arguments: [String], input: [UInt8]? = nil
    ) throws(SystemError) -> Int32 {
        var standardInput: Int32 = -1
        if let input {
            // The array's bytes are copied into the file before the call returns.
            standardInput = unsafe input.withUnsafeBytes { unsafe gateway_memory_file($0.baseAddress, $0.count) }
            guard standardInput >= 0 else { throw .last("memfd_create") }
        }
        defer { if standardInput >= 0 { close(standardInput) } }
        // The copies live until the call has returned, which is after the new program has its own.
        let copies = unsafe arguments.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        var number: Int32 = -1
        let code = unsafe gateway_start(program, copies + [nil], standardInput, &number)
        guard code == 0 else { throw SystemError("posix_spawn", code) }
        return number
    }

    /// How a process ended.
    package enum End: Equatable, Sendable, CustomStringConvertible {
        case exited(status: Int32)
        case killed(signal: Int32)
        /// It is not ours to know.
        case unknown

        package var description: String {
            switch self {
            case .exited(let status): "exited with status \(status)"
            // The system's words live as long as the process, and are copied.
            case .killed(let signal): unsafe "was killed by signal \(signal) (\(String(cString: strsignal(signal))))"
            case .unknown: "ended"
            }
        }
    }

    /// How a process ended that `start` gave, to be asked once more only where it runs still: the system forgets it then. `nil`: it runs.
    package static func end(of process: Int32) -> End? {
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
