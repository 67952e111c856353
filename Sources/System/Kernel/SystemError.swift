internal import Glibc

/// A failed system call.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the system call.
    public let call: String
    /// Its `errno`.
    let code: Int32

    /// `code` is an `errno`.
    public init(_ call: String, _ code: Int32) {
        self.call = call
        self.code = code
    }

    /// The error of the system call that has just failed on this thread.
    static func last(_ call: String) -> SystemError { SystemError(call, errno) }

    /// `connect: Connection refused`.
    public var description: String { "\(self.call): \(self.reason)" }

    /// The system's words for the code.
    public var reason: String {
        // `strerror` returns a constant string, or one that lives as long as the thread. It is copied at once.
        unsafe String(cString: strerror(self.code))
    }

    /// Another socket listens there.
    public var isAddressInUse: Bool { self.code == EADDRINUSE }
    /// This user may not do that.
    public var isDenied: Bool { self.code == EACCES }
    /// The peer has reset the connection.
    public var isConnectionReset: Bool { self.code == ECONNRESET || self.code == EPIPE }
    /// There is a file of that name already.
    public var isFileThere: Bool { self.code == EEXIST }
    /// No socket listens there.
    public var isConnectionRefused: Bool { self.code == ECONNREFUSED }
    /// The system has no IPv6, or it is switched off.
    public var isWithoutIPv6: Bool { self.code == EAFNOSUPPORT || self.code == EADDRNOTAVAIL }
    /// The peer acknowledged nothing, or accepted nothing, for too long.
    public var isTimeout: Bool { self.code == ETIMEDOUT }
    /// The kernel ended an established connection: its peer acknowledged nothing, accepted nothing or did not answer for too
    /// long. The code is that of the last ICMP error, if there was one (tcp(7): such errors are not fatal before).
    public var isEndByKernel: Bool {
        switch self.code {
        case ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, ENONET, ENOPROTOOPT, ECONNREFUSED: true
        default: false
        }
    }
    /// There is nothing at a path, or it does not lead there.
    public var isAbsence: Bool {
        switch self.code {
        // EXDEV: it leads out of the folder. ENXIO: a socket, or a device without a driver.
        case ENOENT, ENOTDIR, ELOOP, EXDEV, ENAMETOOLONG, ENXIO, ENODEV: true
        default: false
        }
    }
    /// The process or the system has no descriptor left.
    var isOutOfDescriptors: Bool { self.code == EMFILE || self.code == ENFILE }
    /// Descriptors, memory or places in an epoll are used up.
    public var isShortage: Bool {
        self.isOutOfDescriptors || self.code == ENOBUFS || self.code == ENOMEM || self.code == ENOSPC
    }
    /// The local address does not exist or has no free port; or, for IPv6, the system has no IPv6.
    public var isAddressNotAvailable: Bool { self.code == EADDRNOTAVAIL }
}
