internal import CLinux
internal import Glibc

/// Passing descriptors to another process over a Unix stream socket, and identifying that process.
extension Kernel {
    /// The process on the other side of a Unix socket.
    public struct Peer: Equatable, Sendable {
        /// Its number; 0 if it is outside our process namespace.
        public let process: Int32
        /// The user that it runs as.
        public let user: UInt32
    }

    /// The most descriptors that one `send` carries.
    public static let mostDescriptors = Int(GATEWAY_MOST_DESCRIPTORS)

    /// Writes bytes. The first one carries `descriptors`, at most `mostDescriptors`, of which the peer gets duplicates. `bytes`
    /// may not be empty, as no descriptor travels without a byte.
    public static func send(_ socket: Int32, _ bytes: Span<UInt8>, carrying descriptors: [Int32]) -> SendResult {
        let length = SyscallFaults.capped(bytes.count)
        while true {
            // The kernel reads `length` bytes of the span, and the array's descriptors.
            let count = unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe descriptors.withUnsafeBufferPointer { descriptors in
                    unsafe gateway_send_descriptors(
                        socket, bytes.baseAddress, length, descriptors.baseAddress, descriptors.count)
                }
            }
            if count >= 0 { return .sent(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(.last("sendmsg"))
            }
        }
    }

    /// Reads what is there, and appends the descriptors that came with it. The caller must close them. They come no later than
    /// the first byte of their `send`.
    ///
    /// - Parameter limit: the most descriptors to take. If there are more, or more than this process may have, all of them are
    ///   closed, and the result is EMSGSIZE.
    public static func receive(
        _ socket: Int32, into buffer: inout MutableSpan<UInt8>, descriptors: inout [Int32],
        atMost limit: Int = Self.mostDescriptors
    ) -> ReceiveResult {
        let capacity = SyscallFaults.capped(buffer.count)
        var received = [Int32](repeating: -1, count: Self.mostDescriptors)
        while true {
            var fitting = min(limit, received.count)
            // The kernel writes at most `capacity` bytes and `fitting` descriptors, no more than the span and the array have.
            let count = unsafe buffer.withUnsafeMutableBufferPointer { bytes in
                unsafe gateway_receive_descriptors(socket, bytes.baseAddress, capacity, &received, &fitting)
            }
            if count > 0 {
                descriptors += received[..<fitting]
                return .bytes(count, filled: count == capacity)
            }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(.last("recvmsg"))
            }
        }
    }

    /// The process that connected `socket` or, for the connecting side, that listened (SO_PEERCRED). It cannot be forged.
    public static func peer(_ socket: Int32) throws(SystemError) -> Peer {
        var process: Int32 = 0
        var user: UInt32 = 0
        // The two numbers are written before the call returns.
        guard unsafe gateway_peer(socket, &process, &user) == 0 else { throw .last("getsockopt") }
        return Peer(process: process, user: user)
    }

    /// Waits until there is something to read, or the end. Returns false if there is not within `limit`.
    public static func waitToRead(_ descriptor: Int32, within limit: Duration) -> Bool {
        self.wait(descriptor, POLLIN, within: limit)
    }

    /// Waits until writing is possible, or fails. Returns false if it does not within `limit`.
    public static func waitToWrite(_ descriptor: Int32, within limit: Duration) -> Bool {
        self.wait(descriptor, POLLOUT, within: limit)
    }

    private static func wait(_ descriptor: Int32, _ event: Int32, within limit: Duration) -> Bool {
        let deadline = MonotonicInstant.now() + limit
        while true {
            let left = max(0, (deadline - .now()).clampedNanoseconds) / 1_000_000
            var waiting = pollfd(fd: descriptor, events: Int16(event), revents: 0)
            // The kernel writes to this one record.
            let count = unsafe poll(&waiting, 1, Int32(clamping: left))
            if count >= 0 { return count > 0 }
            guard errno == EINTR else { return false }
        }
    }
}

// MARK: - Listening sockets of other processes

extension Kernel {
    /// Why a descriptor is not a listening stream socket.
    public enum ListeningFault: Equatable, Sendable, CustomStringConvertible {
        /// There is no descriptor with this number.
        case notOpen
        /// It is a file, a pipe or something else.
        case notASocket
        /// It takes datagrams.
        case notAStream
        /// `listen` was not called on it, or it is a connection.
        case notListening

        /// What follows the descriptor's name in a message.
        public var description: String {
            switch self {
            case .notOpen: "is not open"
            case .notASocket: "is not a socket"
            case .notAStream: "is not a stream socket"
            case .notListening: "does not listen"
            }
        }
    }

    /// Checks that a descriptor is a listening stream socket; `nil` if it is.
    public static func listeningFault(_ descriptor: Int32) -> ListeningFault? {
        guard fcntl(descriptor, F_GETFD) >= 0 else { return .notOpen }
        guard let type = self.option(descriptor, SOL_SOCKET, SO_TYPE) else { return .notASocket }
        guard type == Int32(SOCK_STREAM.rawValue) else { return .notAStream }
        guard self.option(descriptor, SOL_SOCKET, SO_ACCEPTCONN) == 1 else { return .notListening }
        return nil
    }

    /// Gives a descriptor the flags of ours: it does not block, and exec(3) closes it.
    public static func adopt(_ descriptor: Int32) throws(SystemError) {
        let flags = fcntl(descriptor, F_GETFL)
        guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0,
            fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
        else { throw .last("fcntl") }
    }

    /// Duplicates all of `descriptors`, or none of them.
    public static func duplicateAll(_ descriptors: [Int32]) throws(SystemError) -> [Int32] {
        var copies: [Int32] = []
        for descriptor in descriptors {
            let copy = self.duplicate(descriptor)
            guard copy >= 0 else {
                let error = SystemError.last("fcntl")
                for copy in copies { self.close(copy) }
                throw error
            }
            copies.append(copy)
        }
        return copies
    }
}
