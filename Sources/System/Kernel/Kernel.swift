internal import CLinux
internal import Glibc

/// Every system call on sockets and files that the gateway makes. One place, so that it can be read as the list of what we ask
/// of the system, and so that tests can make calls fall short (`SyscallFaults`).
package enum Kernel {
    package enum ReceiveResult: Equatable, Sendable {
        /// - Parameter filled: the buffer was filled, so there may be more.
        case bytes(Int, filled: Bool)
        case wouldBlock
        /// The peer has ended its side (FIN).
        case end
        case failed(SystemError)
    }

    package enum SendResult: Equatable, Sendable {
        /// At least one byte; less than given means that the socket's buffer is full.
        case sent(Int)
        case wouldBlock
        case failed(SystemError)
    }

    package enum AcceptResult: Equatable, Sendable {
        case accepted(Int32, SocketAddress)
        case wouldBlock
        case failed(SystemError)
    }

    // MARK: - Bytes

    /// Reads what is there, at most `buffer.count` bytes.
    package static func receive(_ descriptor: Int32, into buffer: inout MutableSpan<UInt8>) -> ReceiveResult {
        let capacity = SyscallFaults.capped(buffer.count)
        while true {
            // The kernel writes at most `capacity` bytes, which is no more than the span has.
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

    /// Writes as much of `bytes` as the socket takes. Never raises SIGPIPE.
    package static func send(_ descriptor: Int32, _ bytes: Span<UInt8>) -> SendResult {
        let length = SyscallFaults.capped(bytes.count)
        while true {
            // The kernel reads `length` bytes, which is no more than the span has.
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
    ///   - sharedByWorkers: several sockets share the port, and the kernel deals connections out (`SO_REUSEPORT`).
    ///   - access: who may connect to a Unix socket; `nil`: as the umask has it.
    package static func listen(
        _ address: SocketAddress, sharedByWorkers: Bool, access: SocketFileAccess? = nil, backlog: Int32 = 4096
    ) throws(SystemError) -> Int32 {
        let descriptor = try self.socket(address)
        do throws(SystemError) {
            if address.port != nil {
                try self.setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
                if sharedByWorkers { try self.setOption(descriptor, SOL_SOCKET, SO_REUSEPORT, 1) }
                // `[::]` takes IPv4, too, whatever the system's default.
                if case .ipv6 = address { try self.setOption(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
            }
            // The file that bind makes has the permissions of the socket, less the umask: before anyone sees it it is its owner's alone. A
            // umask would be every thread's.
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

    /// Says who may connect to the socket of a file: first its group changes, then what a group may do.
    package static func setAccess(of path: String, to access: SocketFileAccess) throws(SystemError) {
        if let group = access.group {
            // -1: the owner stays.
            guard unsafe lchown(path, uid_t.max, group) == 0 else { throw .last("chown") }
        }
        guard unsafe chmod(path, mode_t(access.mode)) == 0 else { throw .last("chmod") }
    }

    package static func accept(_ listener: Int32) -> AcceptResult {
        if let error = SyscallFaults.acceptError() { return .failed(error) }
        while true {
            var descriptor: Int32 = -1
            let peer = unsafe SocketAddress.read { address, length in
                descriptor = unsafe accept4(
                    listener, address, length, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))
                return descriptor
            }
            if descriptor >= 0 { return .accepted(descriptor, peer ?? .unnamed) }
            switch errno {
            // Errors of a connection that is gone already, not of the listener (accept(2), "Error handling").
            case EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
                ENETUNREACH:
                continue
            case EAGAIN: return .wouldBlock
            default: return .failed(.last("accept"))
            }
        }
    }

    /// Begins to connect; the socket becomes writable when it is decided (`connectionResult`).
    ///
    /// - Parameter source: the local address to come from; its port is chosen by the system.
    package static func connect(
        _ address: SocketAddress, from source: SocketAddress? = nil
    ) throws(SystemError) -> Int32 {
        let descriptor = try self.socket(address)
        do throws(SystemError) {
            if let source {
                // The port is chosen at connect, per destination, so that one source address has 28,000 ports for each.
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

    /// What has become of `connect`; `nil` is success.
    package static func connectionResult(_ descriptor: Int32) -> SystemError? {
        let code = self.option(descriptor, SOL_SOCKET, SO_ERROR) ?? errno
        return code == 0 ? nil : SystemError("connect", code)
    }

    /// Whether the connection stands, as it does at once with a server on the same machine.
    package static func isConnected(_ descriptor: Int32) -> Bool {
        var address = sockaddr()
        var length: socklen_t = 0
        // The kernel writes nothing where there is no room.
        return unsafe getpeername(descriptor, &address, &length) == 0
    }

    package static func localAddress(_ descriptor: Int32) -> SocketAddress? {
        unsafe SocketAddress.read { unsafe getsockname(descriptor, $0, $1) }
    }

    private static func socket(_ address: SocketAddress) throws(SystemError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(address.family, type, 0)
        guard descriptor >= 0 else { throw .last("socket") }
        return descriptor
    }

    // MARK: - Options and ends

    /// Sends small writes at once: a gateway has nothing to gain from waiting (Nagle), and a message to lose.
    package static func sendAtOnce(_ descriptor: Int32) {
        try? self.setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// Has the kernel give up a connection whose peer acknowledges nothing of what was sent, or takes none of it, for so long: it fails
    /// with ETIMEDOUT (tcp(7), TCP_USER_TIMEOUT); `nil`: it has all the time that TCP gives it. A Unix socket has no such peers, and no such
    /// option.
    package static func setUserTimeout(_ descriptor: Int32, _ timeout: Duration?) {
        let milliseconds = timeout.map { Int32(clamping: max($0.clampedNanoseconds / 1_000_000, 1)) } ?? 0
        try? self.setOption(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, milliseconds)
    }

    /// Has the kernel ask a peer that was silent for `idle` seconds whether it is there, and every `interval` seconds again. After `count` times
    /// without an answer, or earlier with a user timeout, the connection fails (tcp(7), SO_KEEPALIVE). While something is unacknowledged it
    /// does not ask.
    package static func keepAlive(_ descriptor: Int32, idle: Int32, interval: Int32, count: Int32) {
        let tcp = Int32(IPPROTO_TCP)
        try? self.setOption(descriptor, tcp, TCP_KEEPIDLE, idle)
        try? self.setOption(descriptor, tcp, TCP_KEEPINTVL, interval)
        try? self.setOption(descriptor, tcp, TCP_KEEPCNT, count)
        try? self.setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
    }

    /// Has it ask no more.
    package static func endKeepAlive(_ descriptor: Int32) {
        try? self.setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, 0)
    }

    /// Has the kernel take no more than `bytes` that it cannot send yet, so that what a slow peer has not taken waits with us
    /// (tcp(7), TCP_NOTSENT_LOWAT). What is in flight is not limited. A Unix socket has no such option.
    package static func limitUnsent(_ descriptor: Int32, to bytes: Int) {
        try? self.setOption(descriptor, Int32(IPPROTO_TCP), Int32(GATEWAY_TCP_NOTSENT_LOWAT), Int32(clamping: bytes))
    }

    /// How many bytes a TCP connection was given that its peer has not acknowledged; a FIN of ours counts as one (SIOCOUTQ, tcp(7)).
    package static func unacknowledged(_ descriptor: Int32) -> Int { max(0, Int(gateway_unacknowledged(descriptor))) }

    /// How many bytes the peer of a TCP connection has acknowledged in all.
    package static func acknowledged(_ descriptor: Int32) -> UInt64 { gateway_acknowledged(descriptor) }

    /// Ends our side: the peer reads what was sent, then the end.
    package static func endWriting(_ descriptor: Int32) {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    package static func close(_ descriptor: Int32) {
        _ = Glibc.close(descriptor)
    }

    /// Closes so that the peer sees a reset rather than an orderly end: it must not take what it got for all there was.
    package static func reset(_ descriptor: Int32) {
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
    /// A listening socket for each of `count` workers: several that share a port, or one Unix socket in as many copies.
    ///
    /// - Returns: the sockets, and the address with the port that was chosen where 0 was asked for.
    package static func listen(
        _ address: SocketAddress, forWorkers count: Int, access: SocketFileAccess? = nil
    ) throws(SystemError) -> (sockets: [Int32], address: SocketAddress) {
        if case .unix(let path) = address { try self.removeStaleSocket(path) }
        guard address.port != nil else {
            let first = try self.listen(address, sharedByWorkers: false, access: access)
            return ([first] + (1..<count).map { _ in self.duplicate(first) }, address)
        }
        // Sockets with SO_REUSEPORT share a port with any other process of this user that has it, so a second gateway on the
        // same port would start, and take half of the connections. A socket without it says whether the port is free. One that the
        // system chooses is.
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

    /// Another descriptor of the same socket.
    package static func duplicate(_ descriptor: Int32) -> Int32 { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }

    /// A Unix socket outlives its process as a file. One that nobody answers at is in the way; one that somebody answers at is
    /// taken. Any other file is somebody's: connecting to it is refused, too.
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

    /// Removes the file of a Unix socket that was listened on.
    package static func removeSocketFile(_ address: SocketAddress) {
        if case .unix(let path) = address { unsafe unlink(path) }
    }
}
