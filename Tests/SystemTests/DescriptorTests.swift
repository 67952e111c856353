import Glibc
import TestSupport
import Testing

@testable import System

/// Descriptors over Unix sockets. What a peer of another user gets cannot be tested here without a second user; that the peer is
/// ourselves can.
@Suite(.serialized) struct DescriptorTests {
    @Test func descriptorsPassAndAreTheSameFiles() throws {
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
            // What goes into the copy of one comes out of the other one's original.
            put(descriptors[0], "over")
            #expect(receiveNext(passed.far).bytes == Array("over".utf8))
            for descriptor in descriptors { Kernel.close(descriptor) }
        }
    }

    @Test func descriptorsComeWithTheFirstByteThatCarriedThem() throws {
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

    @Test func asManyAsTheKernelTakesPassAndNoMore() throws {
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

    /// Odd and even limits: the kernel pads the room for descriptors to eight bytes.
    @Test(arguments: [0, 1, 2, 3]) func ofTooManyNoneIsLeftOpen(limit: Int) throws {
        SyscallFaults.exclusively {
            let pair = SocketPair()
            let passed = SocketPair()
            defer { pair.close() }
            let descriptors = [Int32](repeating: passed.far, count: limit + 1)
            #expect(Kernel.send(pair.near, [1].span, carrying: descriptors) == .sent(1))
            let (result, _, received) = receive(pair.far, atMostDescriptors: limit)
            #expect(result == .failed(SystemError("recvmsg", EMSGSIZE)))
            #expect(received.isEmpty)
            // With our own copy, every copy of this end is closed: the other one sees the end.
            Kernel.close(passed.far)
            #expect(receiveNext(passed.near).result == .end)
            Kernel.close(passed.near)
        }
    }

    @Test func bytesWithoutDescriptorsAndTheEndAreReadAsEver() throws {
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

    @Test func aNameIsListenedOnOnceAndEndsWithTheSocket() throws {
        try SyscallFaults.exclusively {
            let name = SocketAddress.abstract(name: "gateway-test/\(UInt64.random(in: .min ... .max))")
            let listener = try Kernel.listen(name, sharedByWorkers: false)
            #expect(Kernel.localAddress(listener) == name)
            #expect(throws: SystemError("bind", EADDRINUSE)) { try Kernel.listen(name, sharedByWorkers: false) }
            let client = try Kernel.connect(name)
            let accepted = try #require(acceptNext(listener))
            // Both sides are this process; who connects to a socket of another process sees that one.
            let ourselves = Kernel.Peer(process: OwnProcess.number, user: OwnProcess.user)
            #expect(try Kernel.peer(client) == ourselves)
            #expect(try Kernel.peer(accepted) == ourselves)
            for descriptor in [listener, client, accepted] { Kernel.close(descriptor) }
            #expect(throws: SystemError("connect", ECONNREFUSED)) { try Kernel.connect(name) }
        }
    }

    @Test func aNameAsLongAsTheKernelTakes() throws {
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

    // MARK: - Sockets of others

    @Test func whatDoesNotListenIsToldApart() throws {
        let pair = SocketPair()
        defer { pair.close() }
        let datagrams = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        let file = unsafe open("/dev/null", O_RDONLY)
        let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
        #expect(Kernel.listeningFault(listener) == nil)
        #expect(Kernel.listeningFault(pair.near) == "does not listen")
        #expect(Kernel.listeningFault(datagrams) == "is no stream socket")
        #expect(Kernel.listeningFault(file) == "is no socket")
        for descriptor in [datagrams, file, listener] { Kernel.close(descriptor) }
        #expect(Kernel.listeningFault(-1) == "is not open")
    }

    @Test func anAdoptedDescriptorDoesNotBlockAndIsNotInherited() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Kernel.close(descriptor) }
        #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK == 0)
        try Kernel.adopt(descriptor)
        #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(descriptor, F_GETFD) == FD_CLOEXEC)
        #expect(throws: SystemError("fcntl", EBADF)) { try Kernel.adopt(-1) }
    }

    @Test func aDatagramIsSentToAPathAndToAName() throws {
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

    // MARK: - Our own process

    @Test func aProgramIsStartedWithoutOurDescriptorsAndSignals() throws {
        SignalSource.block([])
        let report = temporaryPath(".txt")
        unsafe mkfifo(report, 0o600)
        defer { removeFile(report) }
        let script = "{ echo $0 $1; grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd; } > \(report)"
        let reader = unsafe open(report, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        defer { Kernel.close(reader) }
        // As every descriptor of the gateway is: closed by exec(3).
        let ours = fcntl(reader, F_DUPFD_CLOEXEC, 700)
        defer { Kernel.close(ours) }
        let number = try OwnProcess.start("/bin/sh", ["sh", "-c", script, "gateway", "--takeover"])
        #expect(number > 0)
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while waitToRead(reader) {
            let count = unsafe read(reader, &buffer, buffer.count)
            guard count > 0 else { break }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.first == "gateway --takeover")
        #expect(lines.contains("SigBlk:\t0000000000000000"))
        let ignored = lines.first { $0.hasPrefix("SigIgn") }.flatMap { UInt64($0.suffix(16), radix: 16) }
        // SIGPIPE is 13, SIGCHLD 17.
        #expect(ignored.map { $0 & (1 << 12 | 1 << 16) } == 0)
        #expect(lines.contains("1"))
        #expect(ours >= 700 && !lines.contains("\(ours)"))
        #expect(throws: SystemError("posix_spawn", ENOENT)) { try OwnProcess.start("/nowhere", ["x"]) }
        #expect(self.end(of: number) == .exited(status: 0))
        #expect(OwnProcess.end(of: number) == .unknown)
    }

    private func end(of process: Int32) -> OwnProcess.End {
        // It is left to be asked for (waitid(2), WNOWAIT), and what the kernel writes is not read.
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        return OwnProcess.end(of: process) ?? .unknown
    }

    /// More than a pipe would hold, and to its end.
    @Test func aProgramReadsWhatItIsGiven() throws {
        let input = [UInt8](repeating: UInt8(ascii: "x"), count: 300_000)
        let script = "[ $(wc -c) = 300000 ]"
        #expect(
            self.end(of: try OwnProcess.start("/bin/sh", ["sh", "-c", script], input: input)) == .exited(status: 0))
        let empty = "[ $(wc -c) = 0 ]"
        #expect(self.end(of: try OwnProcess.start("/bin/sh", ["sh", "-c", empty], input: [])) == .exited(status: 0))
    }

    @Test func howAProgramEndsIsKnown() throws {
        let failed = try OwnProcess.start("/bin/sh", ["sh", "-c", "exit 3"])
        #expect(self.end(of: failed) == .exited(status: 3))
        let killed = try OwnProcess.start("/bin/sh", ["sh", "-c", "kill -9 $$"])
        #expect(self.end(of: killed) == .killed(signal: 9))
        #expect(OwnProcess.End.killed(signal: 9).description == "was killed by signal 9 (Killed)")
        let running = try OwnProcess.start("/bin/sh", ["sh", "-c", "exec sleep 20"])
        #expect(OwnProcess.end(of: running) == nil)
        kill(running, SIGKILL)
        #expect(self.end(of: running) == .killed(signal: SIGKILL))
    }

    @Test func theProgramIsKnown() throws {
        #expect(try OwnProcess.program().hasPrefix("/"))
        #expect(OwnProcess.environment("PATH") != nil)
        #expect(OwnProcess.environment("GATEWAY_TEST_NOTHING") == nil)
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
