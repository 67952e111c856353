import Glibc
import TestSupport
import Testing

@testable import System

/// Descriptors over Unix sockets. A peer of another user cannot be tested without a second user, but that the peer is this
/// process can.
@Suite(.serialized) struct DescriptorTests {
    @Test func `descriptors that are sent lead to the same files`() throws {
        try SyscallFaults.exclusively {
            let pair = SocketPair()
            let passed = SocketPair()
            defer { for pair in [pair, passed] { pair.close() } }
            let bytes: [UInt8] = [1, 2, 3]
            #expect(Kernel.send(pair.near, bytes.span, carrying: [passed.near, passed.far]) == .sent(3))
            let (result, read, descriptors) = receive(pair.far)
            #expect(result == .bytes(3, filled: false))
            #expect(read == bytes)
            try #require(descriptors.count == 2)
            #expect(Set(descriptors).isDisjoint(with: [passed.near, passed.far]))
            #expect(descriptors.allSatisfy { fcntl($0, F_GETFD) == FD_CLOEXEC })
            // Bytes written to the duplicate of one end arrive at the other end.
            put(descriptors[0], "over")
            #expect(receiveNext(passed.far).bytes == Array("over".utf8))
            for descriptor in descriptors { Kernel.close(descriptor) }
        }
    }

    @Test func `descriptors come with the first byte that carried them`() throws {
        SyscallFaults.exclusively {
            let pair = SocketPair()
            defer { pair.close() }
            #expect(send(pair.near, [1]) == .sent(1))
            #expect(Kernel.send(pair.near, [2, 3, 4].span, carrying: [pair.near]) == .sent(3))
            var descriptors: [Int32] = []
            var bytes: [UInt8] = []
            while bytes.count < 2 {
                let got = receive(pair.far, atMost: 1)
                bytes += got.bytes
                descriptors += got.descriptors
            }
            #expect(bytes == [1, 2])
            #expect(descriptors.count == 1)
            for descriptor in descriptors { Kernel.close(descriptor) }
        }
    }

    @Test func `as many descriptors pass as the kernel takes and no more`() throws {
        SyscallFaults.exclusively {
            let pair = SocketPair()
            defer { pair.close() }
            let most = [Int32](repeating: pair.near, count: Kernel.mostDescriptors)
            #expect(Kernel.send(pair.near, [1].span, carrying: most) == .sent(1))
            let descriptors = receive(pair.far).descriptors
            #expect(descriptors.count == Kernel.mostDescriptors)
            for descriptor in descriptors { Kernel.close(descriptor) }
            #expect(
                Kernel.send(pair.near, [1].span, carrying: most + [pair.near])
                    == .failed(SystemError("sendmsg", EINVAL)))
        }
    }

    /// Odd and even limits, because the kernel pads the room for descriptors to eight bytes.
    @Test(arguments: [0, 1, 2, 3]) func `of too many descriptors none stays open`(limit: Int) throws {
        SyscallFaults.exclusively {
            let pair = SocketPair()
            let passed = SocketPair()
            defer { pair.close() }
            let descriptors = [Int32](repeating: passed.far, count: limit + 1)
            #expect(Kernel.send(pair.near, [1].span, carrying: descriptors) == .sent(1))
            let (result, _, received) = receive(pair.far, atMostDescriptors: limit)
            #expect(result == .failed(SystemError("recvmsg", EMSGSIZE)))
            #expect(received.isEmpty)
            // All duplicates of this end are closed now, so the other end reads the end.
            Kernel.close(passed.far)
            #expect(receiveNext(passed.near).result == .end)
            Kernel.close(passed.near)
        }
    }

    @Test func `bytes without descriptors and the end are read as usual`() throws {
        SyscallFaults.exclusively {
            let pair = SocketPair()
            defer { Kernel.close(pair.far) }
            #expect(receive(pair.far).result == .wouldBlock)
            #expect(Kernel.send(pair.near, [7].span, carrying: []) == .sent(1))
            #expect(Kernel.waitToRead(pair.far, within: .seconds(20)))
            #expect(receive(pair.far).bytes == [7])
            #expect(!Kernel.waitToRead(pair.far, within: .zero))
            #expect(Kernel.waitToWrite(pair.far, within: .zero))
            Kernel.close(pair.near)
            #expect(receive(pair.far).result == .end)
        }
    }

    // MARK: - Names and peers

    @Test func `an abstract name has one listener and ends with its socket`() throws {
        try SyscallFaults.exclusively {
            let name = SocketAddress.abstract(name: "gateway-test/\(UInt64.random(in: .min ... .max))")
            let listener = try Kernel.listen(name, sharedByWorkers: false)
            #expect(Kernel.localAddress(listener) == name)
            #expect(throws: SystemError("bind", EADDRINUSE)) { try Kernel.listen(name, sharedByWorkers: false) }
            let client = try Kernel.connect(name)
            let accepted = try #require(acceptNext(listener))
            // Both sides are this process.
            let ourselves = Kernel.Peer(process: OwnProcess.number, user: OwnProcess.user)
            #expect(try Kernel.peer(client) == ourselves)
            #expect(try Kernel.peer(accepted) == ourselves)
            for descriptor in [listener, client, accepted] { Kernel.close(descriptor) }
            #expect(throws: SystemError("connect", ECONNREFUSED)) { try Kernel.connect(name) }
        }
    }

    @Test func `an abstract name may be as long as the kernel takes`() throws {
        let letters = String(repeating: "x", count: SocketAddress.longestUnixPath - 20)
        let digits = String(UInt64.random(in: 10_000_000_000_000_000_000 ... .max))
        let name = SocketAddress.abstract(name: letters + digits)
        let listener = try Kernel.listen(name, sharedByWorkers: false)
        #expect(Kernel.localAddress(listener) == name)
        Kernel.close(listener)
        #expect(throws: SystemError("bind or connect", ENAMETOOLONG)) {
            try Kernel.connect(.abstract(name: String(repeating: "x", count: SocketAddress.longestUnixPath + 1)))
        }
    }

    // MARK: - Sockets of other processes

    @Test func `a descriptor that does not listen is named`() throws {
        let pair = SocketPair()
        defer { pair.close() }
        let datagrams = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        let file = unsafe open("/dev/null", O_RDONLY)
        let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
        #expect(Kernel.listeningFault(listener) == nil)
        #expect(Kernel.listeningFault(pair.near) == .notListening)
        #expect(Kernel.listeningFault(datagrams) == .notAStream)
        #expect(Kernel.listeningFault(file) == .notASocket)
        for descriptor in [datagrams, file, listener] { Kernel.close(descriptor) }
        #expect(Kernel.listeningFault(-1) == .notOpen)
    }

    @Test func `an adopted descriptor does not block and is not inherited`() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Kernel.close(descriptor) }
        #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK == 0)
        try Kernel.adopt(descriptor)
        #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(descriptor, F_GETFD) == FD_CLOEXEC)
        #expect(throws: SystemError("fcntl", EBADF)) { try Kernel.adopt(-1) }
    }

    @Test func `a datagram is sent to a path and to a name`() throws {
        try SyscallFaults.exclusively {
            for address in [SocketAddress.unix(path: temporaryPath(".sock")), .abstract(name: temporaryPath(""))] {
                let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
                let bound = unsafe try address.withKernelForm { unsafe bind(receiver, $0, $1) }
                #expect(bound == 0)
                let sender = try DatagramSender(to: address)
                try sender.send(Array("READY=1".utf8))
                #expect(receiveNext(receiver).bytes == Array("READY=1".utf8))
                Kernel.close(receiver)
                Kernel.removeSocketFile(address)
                #expect(throws: SystemError.self) { try sender.send([1]) }
            }
        }
    }

    /// One `Kernel.receive` with descriptors.
    private func receive(
        _ descriptor: Int32, atMost count: Int = 64, atMostDescriptors limit: Int = Kernel.mostDescriptors
    ) -> (result: Kernel.ReceiveResult, bytes: [UInt8], descriptors: [Int32]) {
        var buffer = [UInt8](repeating: 0, count: count)
        var span = buffer.mutableSpan
        var descriptors: [Int32] = []
        let result = Kernel.receive(descriptor, into: &span, descriptors: &descriptors, atMost: limit)
        guard case .bytes(let count, _) = result else { return (result, [], descriptors) }
        return (result, Array(buffer[..<count]), descriptors)
    }
}
