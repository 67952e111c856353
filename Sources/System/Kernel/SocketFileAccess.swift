internal import Glibc

/// Who may connect to a Unix socket: the permissions and the group of its file.
package struct SocketFileAccess: Equatable, Sendable {
    /// At most `0o777`.
    package let mode: UInt16
    /// `nil`: the process' own.
    package let group: UInt32?

    package init(mode: UInt16, group: UInt32? = nil) {
        self.mode = mode
        self.group = group
    }

    /// Its owner alone.
    package static let ownerOnly = SocketFileAccess(mode: 0o600)

    /// The number of a group, which is its name or the number itself; `nil`: there is none of that name. Asks the system's directory, which
    /// may be one of the network: it blocks.
    package static func number(ofGroup name: String) throws(SystemError) -> UInt32? {
        if let number = UInt32(name), number != .max { return number }
        var buffer = [CChar](repeating: 0, count: 1 << 10)
        while true {
            var entry = unsafe Glibc.group()
            var found: UnsafeMutablePointer<Glibc.group>?
            // The texts of the entry are in the buffer; none of them is read.
            let code = unsafe getgrnam_r(name, &entry, &buffer, buffer.count, &found)
            if code == 0 { return unsafe found == nil ? nil : entry.gr_gid }
            switch code {
            // How different directories say that they have none (getgrnam(3), "Errors").
            case ENOENT, ESRCH, EBADF, EPERM: return nil
            case EINTR: continue
            // A group of many members.
            case ERANGE where buffer.count < 16 << 20: buffer += buffer
            default: throw SystemError("getgrnam", code)
            }
        }
    }
}
