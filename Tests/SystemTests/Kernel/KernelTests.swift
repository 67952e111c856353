import Glibc
import TestSupport
import Testing

@testable import System

@Suite(.serialized) struct KernelTests {
    // MARK: - Listening

    @Test func `several workers share a port that the system chose`() throws {
        try SyscallFaults.exclusively {
            let (sockets, address) = try Kernel.listen(.loopback(port: 0), forWorkers: 3)
            defer { for socket in sockets { Kernel.close(socket) } }
            #expect(Set(sockets).count == 3)
            #expect(address.port != 0)
            #expect(sockets.allSatisfy { Kernel.localAddress($0) == address })
            // Exactly one has each connection, whichever the kernel chooses.
            let client = try Kernel.connect(address)
            defer { Kernel.close(client) }
            #expect(waitToRead(sockets) == 1)
            let accepted = sockets.compactMap { socket -> Int32? in
                if case .accepted(let descriptor, let peer) = Kernel.accept(socket) {
                    #expect(peer == Kernel.localAddress(client))
                    return descriptor
                }
                return nil
            }
            #expect(accepted.count == 1)
            for descriptor in accepted { Kernel.close(descriptor) }
        }
    }

    @Test func `an accepted connection inherits that it sends at once`() throws {
        let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
        defer { Kernel.close(listener) }
        Kernel.sendAtOnce(listener)
        let client = try Kernel.connect(#require(Kernel.localAddress(listener)))
        defer { Kernel.close(client) }
        let accepted = try #require(acceptNext(listener))
        defer { Kernel.close(accepted) }
        #expect(Kernel.option(accepted, Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
    }

    @Test func `a connection is up when the other side has it`() throws {
        let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false, backlog: 0)
        defer { Kernel.close(listener) }
        let address = try #require(Kernel.localAddress(listener))
        let first = try Kernel.connect(address)
        defer { Kernel.close(first) }
        #expect(waitToRead(listener))
        #expect(Kernel.isConnected(first))
        // The queue holds one, and is full: the kernel ignores other connections.
        let second = try Kernel.connect(address)
        defer { Kernel.close(second) }
        #expect(!Kernel.isConnected(second))
    }

    @Test func `a port in use is refused although it could be shared`() throws {
        let (sockets, address) = try Kernel.listen(.loopback(port: 0), forWorkers: 2)
        #expect(throws: SystemError("bind", EADDRINUSE)) { try Kernel.listen(address, forWorkers: 2) }
        for socket in sockets { Kernel.close(socket) }
        let (again, same) = try Kernel.listen(address, forWorkers: 1)
        #expect(same == address)
        for socket in again { Kernel.close(socket) }
    }

    @Test func `an address that is not ours is refused`() {
        #expect(throws: SystemError("bind", EADDRNOTAVAIL)) {
            try Kernel.listen(.ipv4(0xC000_0201, port: 0), forWorkers: 1)
        }
    }

    @Test func `an IPv6 listener on every address takes IPv4`() throws {
        try SyscallFaults.exclusively {
            let everywhere = SocketAddress.ipv6(high: 0, low: 0, port: 0, scope: 0)
            // Some systems have no IPv6.
            guard let (sockets, address) = try? Kernel.listen(everywhere, forWorkers: 1) else { return }
            defer { Kernel.close(sockets[0]) }
            let client = try Kernel.connect(.loopback(port: #require(address.port)))
            defer { Kernel.close(client) }
            let accepted = try #require(acceptNext(sockets[0]))
            Kernel.close(accepted)
        }
    }

    // MARK: - Unix sockets

    @Test func `all workers listen on a Unix socket and its file is removed`() throws {
        try SyscallFaults.exclusively {
            let address = SocketAddress.unix(path: temporaryPath(".sock"))
            let (sockets, bound) = try Kernel.listen(address, forWorkers: 2)
            #expect(bound == address)
            #expect(Set(sockets).count == 2)
            let client = try Kernel.connect(address)
            #expect(Kernel.takeConnectionError(client) == nil)
            #expect(waitToRead(sockets[1]))
            guard case .accepted(let accepted, .unnamed) = Kernel.accept(sockets[1]) else {
                Issue.record("not accepted")
                return
            }
            #expect(Kernel.accept(sockets[0]) == .wouldBlock)
            for descriptor in sockets + [client, accepted] { Kernel.close(descriptor) }
            Kernel.removeSocketFile(address)
            #expect(throws: SystemError("connect", ENOENT)) { try Kernel.connect(address) }
        }
    }

    @Test func `a stale socket file is replaced and a live one is not`() throws {
        let address = SocketAddress.unix(path: temporaryPath(".sock"))
        defer { Kernel.removeSocketFile(address) }
        let (first, _) = try Kernel.listen(address, forWorkers: 1)
        #expect(throws: SystemError("bind", EADDRINUSE)) { try Kernel.listen(address, forWorkers: 1) }
        // The socket is closed, but its file stays.
        Kernel.close(first[0])
        #expect(throws: SystemError("connect", ECONNREFUSED)) { try Kernel.connect(address) }
        let (second, _) = try Kernel.listen(address, forWorkers: 1)
        let client = try Kernel.connect(address)
        #expect(Kernel.takeConnectionError(client) == nil)
        Kernel.close(client)
        Kernel.close(second[0])
    }

    @Test func `a file that is not a socket is not touched`() throws {
        let path = temporaryPath(".txt")
        defer { removeFile(path) }
        #expect(try OutputFile.appending(to: path).append([1, 2, 3]).failure == nil)
        #expect(throws: SystemError.self) { try Kernel.listen(.unix(path: path), forWorkers: 1) }
        #expect(try FileContents.read(path) == [1, 2, 3])
    }

    @Test func `a path too long for a socket is an error`() throws {
        let longest = String(repeating: "x", count: SocketAddress.longestUnixPath)
        #expect(throws: SystemError("connect", ENOENT)) { try Kernel.connect(.unix(path: longest)) }
        #expect(throws: SystemError("bind or connect", ENAMETOOLONG)) { try Kernel.connect(.unix(path: longest + "x")) }
        #expect(throws: SystemError("bind or connect", ENAMETOOLONG)) {
            try Kernel.listen(.unix(path: longest + "x"), forWorkers: 1)
        }
    }

    // MARK: - Connecting

    @Test func `a connection without a listener is refused`() throws {
        let (sockets, address) = try Kernel.listen(.loopback(port: 0), forWorkers: 1)
        Kernel.close(sockets[0])
        do {
            let descriptor = try Kernel.connect(address)
            defer { Kernel.close(descriptor) }
            #expect(waitToWrite(descriptor))
            #expect(Kernel.takeConnectionError(descriptor) == SystemError("connect", ECONNREFUSED))
        } catch {
            #expect(error.code == ECONNREFUSED)
        }
    }

    @Test func `a connection comes from its source`() throws {
        try SyscallFaults.exclusively {
            let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
            defer { Kernel.close(listener) }
            let source = SocketAddress.ipv4(0x7F00_0005, port: 9)
            let client = try Kernel.connect(#require(Kernel.localAddress(listener)), from: source)
            defer { Kernel.close(client) }
            #expect(waitToRead(listener))
            guard case .accepted(let descriptor, .ipv4(let address, let port)) = Kernel.accept(listener) else {
                Issue.record("not accepted")
                return
            }
            #expect(address == 0x7F00_0005)
            #expect(port != 9)
            Kernel.close(descriptor)
            let foreign = SocketAddress.ipv4(0xC000_0201, port: 0)
            #expect(throws: SystemError("bind", EADDRNOTAVAIL)) {
                try Kernel.connect(.loopback(port: 1), from: foreign)
            }
        }
    }

    // MARK: - Accepting

    @Test func `accept reports an empty queue and a lack of descriptors`() throws {
        try SyscallFaults.exclusively {
            let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
            defer { Kernel.close(listener) }
            #expect(Kernel.accept(listener) == .wouldBlock)
            let client = try Kernel.connect(#require(Kernel.localAddress(listener)))
            defer { Kernel.close(client) }
            #expect(waitToRead(listener))
            SyscallFaults.exhaustDescriptors(forAccepts: 2)
            for _ in 0..<2 {
                guard case .failed(let error) = Kernel.accept(listener) else {
                    Issue.record("accepted")
                    return
                }
                #expect(error.isOutOfDescriptors)
            }
            Kernel.close(try #require(acceptNext(listener)))
            #expect(Kernel.accept(-1) == .failed(SystemError("accept", EBADF)))
        }
    }

    // MARK: - Bytes

    @Test func `bytes arrive and a filled buffer is reported`() throws {
        try SyscallFaults.exclusively {
            let pair = try SocketPair(tcp: ())
            defer { pair.close() }
            #expect(receive(pair.far).result == .wouldBlock)
            #expect(send(pair.near, [1, 2, 3, 4, 5]) == .sent(5))
            #expect(waitToRead(pair.far))
            #expect(receive(pair.far, atMost: 3) == (.bytes(3, filled: true), [1, 2, 3]))
            #expect(receive(pair.far, atMost: 3) == (.bytes(2, filled: false), [4, 5]))
            #expect(receive(pair.far).result == .wouldBlock)
        }
    }

    @Test(arguments: [1, 2, 3, 7])
    func `transfers can be made to fall short`(limit: Int) throws {
        SyscallFaults.exclusively {
            let pair = SocketPair()
            defer { pair.close() }
            SyscallFaults.limitTransfers(to: limit)
            let bytes = [UInt8](0..<50)
            var sent = 0
            while sent < bytes.count {
                guard case .sent(let count) = send(pair.near, Array(bytes[sent...])) else { break }
                #expect(count == min(limit, bytes.count - sent))
                sent += count
            }
            var received: [UInt8] = []
            while received.count < bytes.count {
                let (result, more) = receive(pair.far)
                guard case .bytes(let count, let filled) = result else { break }
                #expect(filled == (count == limit))
                received += more
            }
            #expect(received == bytes)
        }
    }

    @Test func `a peer that does not read makes sending block`() throws {
        SyscallFaults.exclusively {
            let pair = SocketPair()
            defer { pair.close() }
            let piece = [UInt8](repeating: 7, count: 64 << 10)
            var sent = 0
            while case .sent(let count) = send(pair.near, piece) { sent += count }
            #expect(sent > 0)
            #expect(send(pair.near, piece) == .wouldBlock)
            var received = 0
            while received < sent, case .bytes(let count, _) = receive(pair.far).result { received += count }
            #expect(received == sent)
            #expect(waitToWrite(pair.near))
        }
    }

    // MARK: - Ends

    @Test func `an orderly end is read after the bytes`() throws {
        try SyscallFaults.exclusively {
            let pair = try SocketPair(tcp: ())
            defer { pair.close() }
            #expect(send(pair.near, [1]) == .sent(1))
            Kernel.endWriting(pair.near)
            #expect(receiveNext(pair.far).bytes == [1])
            #expect(receiveNext(pair.far).result == .end)
            // The other direction is still open.
            #expect(send(pair.far, [2]) == .sent(1))
            #expect(receiveNext(pair.near).bytes == [2])
        }
    }

    @Test func `a reset is a failure of reading and writing`() throws {
        try SyscallFaults.exclusively {
            let pair = try SocketPair(tcp: ())
            Kernel.reset(pair.near)
            guard case .failed(let error) = receiveNext(pair.far).result else {
                Issue.record("no reset")
                return
            }
            #expect(error.isConnectionReset)
            guard case .failed(let broken) = send(pair.far, [1]) else {
                Issue.record("sent")
                return
            }
            #expect(broken.isConnectionReset)
            Kernel.close(pair.far)
        }
    }

    @Test func `an error names its call and reason`() {
        #expect(SystemError("connect", ECONNREFUSED).description == "connect: Connection refused")
        #expect(SystemError("accept", ENFILE).isOutOfDescriptors)
        #expect(SystemError("send", EPIPE).isConnectionReset)
    }
}
