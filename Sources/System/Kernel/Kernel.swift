internal import CLinux
internal import Glibc

/// The system calls on sockets. They are in one place, so that one can read what we ask of the system, and so that tests can
/// make calls fall short (`SyscallFaults`).
public enum Kernel {
    /// The result of reading.
    public enum ReceiveResult: Equatable, Sendable {
        /// - Parameter filled: the buffer is full, so there may be more.
        case bytes(Int, filled: Bool)
        /// There is nothing to read yet (EAGAIN).
        case wouldBlock
        /// The peer has ended its side (FIN).
        case end
        /// The connection is of no more use.
        case failed(SystemError)
    }

    /// The result of writing.
    public enum SendResult: Equatable, Sendable {
        /// So many bytes, at least one. Fewer than given mean that the socket's buffer is full.
        case sent(Int)
        /// The socket's buffer is full (EAGAIN).
        case wouldBlock
        /// The connection is of no more use.
        case failed(SystemError)
    }

    /// The result of accepting.
    public enum AcceptResult: Equatable, Sendable {
        /// A descriptor that does not block, and the peer's address.
        case accepted(Int32, SocketAddress)
        /// No connection waits (EAGAIN).
        case wouldBlock
        /// The listener may still be of use: see `isShortage`.
        case failed(SystemError)
    }

    // MARK: - Bytes

    /// Reads what is there, at most `buffer.count` bytes.
    public static func receive(_ descriptor: Int32, into buffer: inout MutableSpan<UInt8>) -> ReceiveResult {
        let capacity = SyscallFaults.capped(buffer.count)
        while true {
            // The kernel writes at most `capacity` bytes, no more than the span has.
            let count = unsafe buffer.withUnsafeMutableBufferPointer { bytes in
                unsafe gateway_receive(descriptor, bytes.baseAddress, capacity)
            }
            if count > 0 { return .bytes(count, filled: count == capacity) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(.last("recv"))
            }
        }
    }

    /// Reads without taking: the next call finds the same bytes (`MSG_PEEK`).
    public static func peek(_ descriptor: Int32, into buffer: inout MutableSpan<UInt8>) -> ReceiveResult {
        let capacity = SyscallFaults.capped(buffer.count)
        while true {
            // The kernel writes at most `capacity` bytes, no more than the span has.
            let count = unsafe buffer.withUnsafeMutableBufferPointer { bytes in
                unsafe recv(descriptor, bytes.baseAddress, capacity, Int32(MSG_PEEK))
            }
            if count > 0 { return .bytes(count, filled: count == capacity) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(.last("recv"))
            }
        }
    }

    /// Writes as much of `bytes` as the socket takes. Never raises SIGPIPE.
    public static func send(_ descriptor: Int32, _ bytes: Span<UInt8>) -> SendResult {
        let length = SyscallFaults.capped(bytes.count)
        while true {
            // The kernel reads `length` bytes, no more than the span has.
            let count = unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe gateway_send(descriptor, bytes.baseAddress, length)
            }
            if count >= 0 { return .sent(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            default: return .failed(.last("send"))
            }
        }
    }

    // MARK: - Listening and connecting

    /// A listening socket.
    ///
    /// - Parameters:
    ///   - sharedByWorkers: several sockets share the port, and the kernel distributes connections (`SO_REUSEPORT`).
    ///   - access: the permissions of a Unix socket; `nil` leaves them to the umask.
    public static func listen(
        _ address: SocketAddress, sharedByWorkers: Bool, access: SocketFileAccess? = nil, backlog: Int32 = 4096
    ) throws(SystemError) -> Int32 {
        let descriptor = try self.socket(address)
        do throws(SystemError) {
            if address.port != nil {
                try self.setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
                if sharedByWorkers { try self.setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
                // `[::]` accepts IPv4, too, whatever the system's default.
                if case .ipv6 = address { try self.setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
            }
            // bind gives the file the permissions of the socket, less the umask. So only the owner can connect until the
            // permissions are set. Changing the umask would affect all threads.
            if access != nil, fchmod(descriptor, 0o600) != 0 { throw .last("fchmod") }
            // The address is read before the call returns.
            let bound = unsafe try address.withKernelForm { unsafe bind(descriptor, $0, $1) }
            guard bound == 0 else { throw .last("bind") }
            if case .unix(let path) = address, let access {
                do throws(SystemError) { try self.setAccess(of: path, to: access) } catch {
                    unsafe unlink(path)
                    throw error
                }
            }
            guard Glibc.listen(descriptor, backlog) == 0 else { throw .last("listen") }
        } catch {
            self.close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Sets the group and permissions of a Unix socket's file. The group first, so that no other group gets access.
    public static func setAccess(of path: String, to access: SocketFileAccess) throws(SystemError) {
        if let group = access.group {
            // -1 keeps the owner.
            guard unsafe lchown(path, uid_t.max, group) == 0 else { throw .last("chown") }
        }
        guard unsafe chmod(path, mode_t(access.mode)) == 0 else { throw .last("chmod") }
    }

    /// Accepts a connection, if one is waiting.
    public static func accept(_ listener: Int32) -> AcceptResult {
        if let error = SyscallFaults.takeAcceptError() { return .failed(error) }
        while true {
            var descriptor: Int32 = -1
            let peer = unsafe SocketAddress.read { address, length in
                descriptor = unsafe accept4(
                    listener, address, length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
                return descriptor
            }
            if descriptor >= 0 { return .accepted(descriptor, peer ?? .unnamed) }
            switch errno {
            // These are errors of a connection that has ended already, not of the listener (accept(2), "Error handling").
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
                ENETUNREACH:
                continue
            case EAGAIN: return .wouldBlock
            default: return .failed(.last("accept"))
            }
        }
    }

    /// Begins to connect. The socket becomes writable when the result is known (`takeConnectionError`).
    ///
    /// - Parameter source: the local address to connect from. The system chooses the port.
    public static func connect(
        _ address: SocketAddress, from source: SocketAddress? = nil
    ) throws(SystemError) -> Int32 {
        let descriptor = try self.socket(address)
        do throws(SystemError) {
            if let source {
                // The port is chosen in connect, for each destination: a source address has 28,000 ports for each of them.
                try self.setOption(descriptor, Int32(IPPROTO_IP), Int32(GATEWAY_IP_BIND_ADDRESS_NO_PORT), 1)
                let bound = unsafe try source.with(port: 0).withKernelForm { unsafe bind(descriptor, $0, $1) }
                guard bound == 0 else { throw .last("bind") }
            }
            while true {
                let result = unsafe try address.withKernelForm { unsafe Glibc.connect(descriptor, $0, $1) }
                if result == 0 || errno == EINPROGRESS { return descriptor }
                guard errno == EINTR else { throw .last("connect") }
            }
        } catch {
            self.close(descriptor)
            throw error
        }
    }

    /// Takes the pending error of a socket: why connecting, or the connection, has failed. `nil` if there is none.
    public static func takeConnectionError(_ descriptor: Int32) -> SystemError? {
        let code = self.option(descriptor, SOL_SOCKET, SO_ERROR) ?? errno
        return code == 0 ? nil : SystemError("connect", code)
    }

    /// Whether the connection is established. With a server on the same machine it is so at once.
    public static func isConnected(_ descriptor: Int32) -> Bool {
        var address = sockaddr()
        var length: socklen_t = 0
        // The length is 0, so the kernel writes nothing.
        return unsafe getpeername(descriptor, &address, &length) == 0
    }

    /// The address that a socket is bound to; `nil` if the call fails.
    public static func localAddress(_ descriptor: Int32) -> SocketAddress? {
        unsafe SocketAddress.read { unsafe getsockname(descriptor, $0, $1) }
    }

    private static func socket(_ address: SocketAddress) throws(SystemError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(address.family, type, 0)
        guard descriptor >= 0 else { throw .last("socket") }
        return descriptor
    }

    // MARK: - Options and ends

    /// Sends small writes at once (TCP_NODELAY): waiting for more, as Nagle's algorithm does, would delay messages.
    public static func sendAtOnce(_ descriptor: Int32) {
        try? self.setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// Makes a connection fail with ETIMEDOUT if its peer acknowledges or accepts nothing of what was sent for so long (tcp(7),
    /// TCP_USER_TIMEOUT). `nil` leaves it to TCP. It has no effect on a Unix socket.
    public static func setUserTimeout(_ descriptor: Int32, _ timeout: Duration?) {
        let milliseconds = timeout.map { Int32(clamping: max($0.clampedNanoseconds / 1_000_000, 1)) } ?? 0
        try? self.setOption(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, milliseconds)
    }

    /// Makes the kernel probe a peer that was silent for `idle` seconds, every `interval` seconds (tcp(7), SO_KEEPALIVE). The
    /// connection fails after `count` probes without an answer, or earlier by the user timeout. The kernel does not probe while
    /// something is unacknowledged.
    public static func keepAlive(_ descriptor: Int32, idle: Int32, interval: Int32, count: Int32) {
        let tcp = Int32(IPPROTO_TCP)
        try? self.setOption(descriptor, tcp, TCP_KEEPIDLE, idle)
        try? self.setOption(descriptor, tcp, TCP_KEEPINTVL, interval)
        try? self.setOption(descriptor, tcp, TCP_KEEPCNT, count)
        try? self.setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
    }

    /// Ends `keepAlive`.
    public static func endKeepAlive(_ descriptor: Int32) {
        try? self.setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 0)
    }

    /// Limits the bytes that the kernel takes and has not sent yet (tcp(7), TCP_NOTSENT_LOWAT), so that the rest waits in our
    /// queues. Bytes in flight are not limited. It has no effect on a Unix socket.
    public static func limitUnsent(_ descriptor: Int32, to bytes: Int) {
        try? self.setOption(descriptor, Int32(IPPROTO_TCP), Int32(GATEWAY_TCP_NOTSENT_LOWAT), Int32(clamping: bytes))
    }

    /// How many bytes of a TCP connection its peer has not acknowledged yet. Our FIN counts as one (SIOCOUTQ, tcp(7)).
    public static func unacknowledged(_ descriptor: Int32) -> Int { max(0, Int(gateway_unacknowledged(descriptor))) }

    /// How many bytes the peer of a TCP connection has acknowledged in all.
    public static func acknowledged(_ descriptor: Int32) -> UInt64 { gateway_acknowledged(descriptor) }

    /// Ends our side: the peer reads what was sent, then the end.
    public static func endWriting(_ descriptor: Int32) {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Closes a descriptor.
    public static func close(_ descriptor: Int32) {
        _ = Glibc.close(descriptor)
    }

    /// Closes with a reset instead of an orderly end, so that the peer does not take the bytes it got as complete.
    public static func reset(_ descriptor: Int32) {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        self.close(descriptor)
    }

    static func setOption(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) throws(SystemError) {
        var value = value
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe setsockopt(descriptor, level, name, &value, size) == 0 else { throw .last("setsockopt") }
    }

    static func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32? {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, level, name, &value, &size) == 0 ? value : nil
    }
}

// MARK: - Listening together

extension Kernel {
    /// A listening socket for each of `count` workers: sockets that share a port, or duplicates of one Unix socket.
    ///
    /// - Returns: the sockets, and the address with the actual port.
    public static func listen(
        _ address: SocketAddress, forWorkers count: Int, access: SocketFileAccess? = nil
    ) throws(SystemError) -> (sockets: [Int32], address: SocketAddress) {
        if case .unix(let path) = address { try self.removeStaleSocket(path) }
        guard address.port != nil else {
            let first = try self.listen(address, sharedByWorkers: false, access: access)
            return ([first] + (1..<count).map { _ in self.duplicate(first) }, address)
        }
        // With SO_REUSEPORT a second gateway of the same user could start on the same port and take half of the connections.
        // So a socket without it first tests whether the port is free. A port chosen by the system is.
        if address.port != 0 { self.close(try self.listen(address, sharedByWorkers: false)) }
        var sockets = [try self.listen(address, sharedByWorkers: true)]
        let bound = self.localAddress(sockets[0]) ?? address
        do throws(SystemError) {
            for _ in 1..<count { sockets.append(try self.listen(bound, sharedByWorkers: true)) }
        } catch {
            for socket in sockets { self.close(socket) }
            throw error
        }
        return (sockets, bound)
    }

    /// Another descriptor of the same socket; -1 if the call fails.
    public static func duplicate(_ descriptor: Int32) -> Int32 { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }

    /// Removes the file of a Unix socket that has no listener any more: files outlive their process.
    ///
    /// - Throws: EADDRINUSE if there is a listener. Connecting is also refused for a file of another kind, which is not removed.
    private static func removeStaleSocket(_ path: String) throws(SystemError) {
        let descriptor: Int32
        do throws(SystemError) {
            descriptor = try self.connect(.unix(path: path))
        } catch {
            if error.code == ECONNREFUSED, self.isSocket(path) { unsafe unlink(path) }
            return
        }
        self.close(descriptor)
        throw SystemError("bind", EADDRINUSE)
    }

    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        // The kernel writes this one record.
        return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    /// Removes the file of a Unix socket that has listened.
    public static func removeSocketFile(_ address: SocketAddress) {
        if case .unix(let path) = address { unsafe unlink(path) }
    }
}

// MARK: - Files

extension Kernel {
    /// Where a symbolic link leads.
    static func target(ofLink link: String) throws(SystemError) -> String {
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        // The kernel writes at most `path.count` bytes.
        let count = unsafe readlink(link, &path, path.count)
        guard count >= 0 else { throw .last("readlink") }
        return String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
