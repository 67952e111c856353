internal import Glibc

/// The permissions and the group of a Unix socket's file, which decide which users may connect.
public struct SocketFileAccess: Equatable, Sendable {
    /// At most `0o777`.
    let mode: UInt16
    /// `nil` for the group of this process.
    let group: UInt32?

    /// `mode` is in permission bits, as `chmod` takes them.
    public init(mode: UInt16, group: UInt32? = nil) {
        self.mode = mode
        self.group = group
    }

    /// Only the owner may connect.
    public static let ownerOnly = SocketFileAccess(mode: 0o600)

    /// The number of a group; `nil` if there is none of that name. Blocks: the system may ask a directory on the network.
    ///
    /// - Parameter name: its name, or its number in digits.
    public static func number(ofGroup name: String) throws(SystemError) -> UInt32? {
        if let number = UInt32(name), number != .max { return number }
        var buffer = [CChar](repeating: 0, count: 1 << 10)
        while true {
            var entry = unsafe Glibc.group()
            var found: UnsafeMutablePointer<Glibc.group>?
            // The texts of the entry are in the buffer, and are not read.
            let code = unsafe getgrnam_r(name, &entry, &buffer, buffer.count, &found)
            if code == 0 { return unsafe found == nil ? nil : entry.gr_gid }
            switch code {
            // Directories report in different ways that they have none (getgrnam(3), "Errors").
            case ENOENT, ESRCH, EBADF, EPERM: return nil
            case EINTR: continue
            // A group of many members.
            case ERANGE where buffer.count < 16 << 20: buffer += buffer
            default: throw SystemError("getgrnam", code)
            }
        }
    }
}
