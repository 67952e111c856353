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

    /// The file of the program that runs, as it was called when it was started. To be read at start: when an upgrade has replaced the
    /// file, the system says that it is deleted, and the path is the new program's.
    package static func program() throws(SystemError) -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        // The kernel writes at most `path.count` bytes.
        let count = unsafe readlink("/proc/self/exe", &path, path.count)
        guard count >= 0 else { throw .last("readlink") }
        return String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Starts a program with our environment. It inherits no descriptor but the first three, and needs no waiting for. Its end
    /// says nothing to us: it has to be noticed otherwise.
    ///
    /// - Parameter arguments: the first one is its name.
    /// - Returns: the number of its process.
    package static func start(_ program: String, _ arguments: [String]) throws(SystemError) -> Int32 {
        // The copies live until the call has returned, which is after the new program has its own.
        let copies = unsafe arguments.map { unsafe strdup($0) }
        defer { unsafe copies.forEach { unsafe free($0) } }
        var number: Int32 = -1
        let code = unsafe gateway_start(program, copies + [nil], &number)
        guard code == 0 else { throw SystemError("posix_spawn", code) }
        return number
    }
}
