internal import Glibc

/// A system call that failed: which one, and why.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The name of the system call.
    package let call: String
    /// Its `errno`.
    package let code: Int32

    package init(_ call: String, _ code: Int32) {
        self.call = call
        self.code = code
    }

    /// The error of the system call that has just failed on this thread.
    static func last(_ call: String) -> SystemError { SystemError(call, errno) }

    /// `connect: Connection refused`.
    package var description: String { "\(self.call): \(self.reason)" }

    /// The system's words for the code.
    package var reason: String {
        // `strerror` gives a string of its own or one that lives as long as the thread; it is copied at once.
        unsafe String(cString: strerror(self.code))
    }

    /// Somebody else listens there.
    package var isAddressInUse: Bool { self.code == EADDRINUSE }
    /// The user may not do that.
    package var isDenied: Bool { self.code == EACCES }
    package var isConnectionReset: Bool { self.code == ECONNRESET || self.code == EPIPE }
    /// Nobody listens there.
    package var isConnectionRefused: Bool { self.code == ECONNREFUSED }
    /// The system has no IPv6, or none that is switched on.
    package var isWithoutIPv6: Bool { self.code == EAFNOSUPPORT || self.code == EADDRNOTAVAIL }
    /// The peer acknowledged nothing, or took nothing, for too long.
    package var isTimeout: Bool { self.code == ETIMEDOUT }
    /// The kernel ended a connection that stood: its peer acknowledged nothing, took nothing, or gave no answer, for too long. It says so in
    /// the words of the last router that had something to say about it, if any had (tcp(7): such errors are not fatal before).
    package var isEndByKernel: Bool {
        switch self.code {
        case ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, ENONET, ENOPROTOOPT, ECONNREFUSED: true
        default: false
        }
    }
    /// The process or the system has no descriptor left.
    package var isOutOfDescriptors: Bool { self.code == EMFILE || self.code == ENFILE }
    /// What the process or the system has is used up: descriptors, memory, or places in an epoll.
    package var isShortage: Bool {
        self.isOutOfDescriptors || self.code == ENOBUFS || self.code == ENOMEM || self.code == ENOSPC
    }
    /// No local address, or no port of it, is left to come from; or, for an IPv6 one, the system has no IPv6.
    package var isAddressNotAvailable: Bool { self.code == EADDRNOTAVAIL }
}
