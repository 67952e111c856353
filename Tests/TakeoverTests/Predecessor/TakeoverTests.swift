import Glibc
import System
import TestSupport
import Testing

@testable import Takeover

/// Takeovers over real sockets. The running gateway's side is on the test's loop; the new gateway's side blocks, so it has a thread. That
/// another user is refused is not tested: it would take another user.
@Suite(.serialized) struct TakeoverTests {
    // MARK: - As it should be

    @Test func `the sockets stay open in the successor`() throws {
        try SyscallFaults.exclusively {
            let running = try RunningGateway()
            let shared = try running.listen(workers: 3)
            let chosen = try running.listen("127.0.0.1:0", workers: 2)
            let removed = try running.listen()
            try running.serve()
            let name = running.name
            let taken = try running.run {
                Taken(sockets: try TakeoverClient.takeOver(name: name))
            }.sockets
            #expect(taken.predecessor == OwnProcess.number)
            let first = taken.take(shared)
            let second = taken.take(.loopback(port: 0))
            #expect(taken.take(shared).isEmpty)
            #expect(first.count == 3)
            #expect(second.count == 2)
            #expect(second.allSatisfy { Kernel.localAddress($0) == chosen })
            #expect(running.releases.isEmpty)

            let box = Taken(sockets: taken)
            #expect(try running.run { try box.sockets.ready() } == .released)
            let release = try #require(running.releases.first)
            #expect(running.releases.count == 1)
            #expect(release.successor == OwnProcess.number)
            #expect(release.adopted == [shared.description, "127.0.0.1:0"])

            // A connection that waits while the old sockets are closed is accepted by the new ones.
            let waiting = try Kernel.connect(shared)
            running.closeListeners()
            #expect(self.isAccepted(waiting, by: first))
            #expect(try self.isAnswered(shared, by: first))
            #expect(try self.isAnswered(chosen, by: second))
            #expect(throws: SystemError("connect", ECONNREFUSED)) { try connected(removed) }
            for socket in first + second + [waiting] { Kernel.close(socket) }
            #expect(try running.events().map(\.event) == ["takeover-offered", "takeover-released"])
        }
    }

    @Test func `the name is never free and serves the next successor`() throws {
        try SyscallFaults.exclusively {
            let old = try RunningGateway()
            _ = try old.listen()
            try old.serve()
            let name = old.name
            let taken = try old.run {
                let taken = try TakeoverClient.takeOver(name: name)
                #expect(try taken.ready() == .released)
                return Taken(sockets: taken)
            }.sockets
            old.closeListeners()
            #expect(throws: SystemError("bind", EADDRINUSE)) { try Kernel.listen(name, sharedByWorkers: false) }
            try old.serve(taken: taken)
            let address = try old.listen()
            let next = try old.run { Taken(sockets: try TakeoverClient.takeOver(name: name)) }.sockets
            let sockets = next.take(address)
            #expect(sockets.count == 1)
            for socket in sockets { Kernel.close(socket) }
            old.closeListeners()
        }
    }

    @Test func `without a running gateway there are no sockets to take`() throws {
        try SyscallFaults.exclusively {
            let taken = try TakeoverClient.takeOver(name: .abstract(name: "gateway-test/nobody"))
            #expect(taken.predecessor == nil)
            #expect(taken.take(.loopback(port: 80)).isEmpty)
            #expect(try taken.ready() == .none)
        }
    }

    // MARK: - When the successor fails

    @Test func `a successor that ends before it is ready changes nothing`() throws {
        try SyscallFaults.exclusively {
            let running = try RunningGateway()
            let address = try running.listen(workers: 2)
            try running.serve()
            let name = running.name
            for _ in 0..<2 {
                try running.run {
                    let taken = try TakeoverClient.takeOver(name: name)
                    for socket in taken.take(address) { Kernel.close(socket) }
                }
                // The successor closed the connection with its last reference.
                while running.server?.isBusy == true { running.loop.turn(waitingAtMost: .seconds(20)) }
            }
            #expect(running.releases.isEmpty)
            #expect(try self.isAnswered(address, by: running.listeners[0].descriptors))
            running.closeListeners()
            let events = try running.events()
            #expect(events.filter { $0.event == "takeover-offered" }.count == 2)
            #expect(
                events.filter { $0.event == "takeover-failed" }.map(\.reason)
                    == [String](repeating: "the successor ended before it was ready", count: 2))
        }
    }

    @Test func `a silent successor is refused after its time`() throws {
        try SyscallFaults.exclusively {
            let running = try RunningGateway()
            try running.serve(patience: .zero)
            let successor = try Kernel.connect(running.name)
            let message = try self.nextMessage(successor, running)
            #expect(message == .refused("nothing was heard of the successor for \(Duration.zero)"))
            #expect(try self.nextMessage(successor, running) == nil)
            Kernel.close(successor)
            #expect(try running.events().map(\.event) == ["takeover-failed"])
        }
    }

    @Test func `a successor of another version is told so`() throws {
        try SyscallFaults.exclusively {
            let running = try RunningGateway()
            try running.serve()
            let successor = try Kernel.connect(running.name)
            let hello = TakeoverMessage.hello(version: "2").bytes
            #expect(Kernel.send(successor, hello.span) == .sent(hello.count))
            let expected = TakeoverError.otherVersion("2").description
            #expect(try self.nextMessage(successor, running) == .refused(expected))
            #expect(try self.nextMessage(successor, running) == nil)
            Kernel.close(successor)
        }
    }

    @Test func `one successor at a time`() throws {
        try SyscallFaults.exclusively {
            let running = try RunningGateway()
            try running.serve()
            let name = running.name
            let first = try running.run { Taken(sockets: try TakeoverClient.takeOver(name: name)) }.sockets
            #expect(throws: StartError("cannot take over: another takeover is under way")) {
                try running.run { _ = try TakeoverClient.takeOver(name: name) }
            }
            let box = Taken(sockets: first)
            #expect(try running.run { try box.sockets.ready() } == .released)
        }
    }

    // MARK: - When the predecessor fails

    @Test func `a gateway that drains is not taken over`() throws {
        try SyscallFaults.exclusively {
            let running = try RunningGateway()
            try running.serve()
            let name = running.name
            let taken = try running.run { Taken(sockets: try TakeoverClient.takeOver(name: name)) }.sockets
            running.server?.close()
            #expect(throws: StartError("cannot take over: the running gateway drains")) { try taken.ready() }
            // The name is free again once the successor with the copy has ended.
            #expect(taken.takeName().map(Kernel.close) != nil)
            #expect(try TakeoverClient.takeOver(name: name).predecessor == nil)
            #expect(running.releases.isEmpty)
        }
    }

    @Test func `a predecessor that is killed leaves its sockets`() throws {
        try SyscallFaults.exclusively {
            let (address, listener, taken, connection) = try self.scripted([.end])
            Kernel.close(connection)
            Kernel.close(listener)
            let sockets = taken.take(address)
            #expect(try taken.ready() == .gone)
            #expect(try self.isAnswered(address, by: sockets))
            for socket in sockets { Kernel.close(socket) }
        }
    }

    @Test func `a predecessor that refused is not taken over`() throws {
        try SyscallFaults.exclusively {
            let (_, listener, taken, connection) = try self.scripted([.end, .refused("too late")])
            Kernel.close(connection)
            #expect(throws: StartError("cannot take over: too late")) { try taken.ready() }
            Kernel.close(listener)
        }
    }

    @Test func `a predecessor that does not answer is waited for only so long`() throws {
        try SyscallFaults.exclusively {
            let (_, listener, taken, connection) = try self.scripted([.end])
            #expect(try taken.ready(within: .zero) == .silent)
            Kernel.close(connection)
            Kernel.close(listener)
        }
    }

    @Test func `a socket that does not listen is not adopted`() throws {
        try SyscallFaults.exclusively {
            let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            let name = SocketAddress.abstract(name: "gateway-test/\(UInt64.random(in: .min ... .max))")
            let server = try Kernel.listen(name, sharedByWorkers: false)
            defer { for descriptor in [socket, server] { Kernel.close(descriptor) } }
            let answer = try Thread.start("predecessor") {
                guard Kernel.waitToRead(server, within: .seconds(20)),
                    case .accepted(let connection, _) = Kernel.accept(server)
                else { return }
                var outbox = TakeoverOutbox()
                outbox.add(listener: "x", sockets: [socket])
                outbox.add(.end)
                try? outbox.flush(to: connection)
                _ = Kernel.waitToRead(connection, within: .seconds(20))
                Kernel.close(connection)
            }
            #expect(
                throws: StartError("cannot take over: the socket that was handed over for x does not listen")
            ) { try TakeoverClient.takeOver(name: name) }
            answer.join()
        }
    }

    // MARK: - Many sockets

    @Test func `messages that the socket does not take are sent later`() throws {
        try SyscallFaults.exclusively {
            let pair = socketPair()
            let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
            var outbox = TakeoverOutbox()
            // More than one message can carry, and more listeners than the socket's buffer holds.
            outbox.add(listener: "many", sockets: [Int32](repeating: listener, count: 300))
            for index in 0..<600 { outbox.add(listener: "\(index)", sockets: [listener]) }
            outbox.add(.end)
            try outbox.flush(to: pair.near)
            let isWaiting = !outbox.isEmpty
            #expect(isWaiting)
            // The owner closes its descriptor, but the waiting copies stay valid.
            Kernel.close(listener)
            var side = SuccessorSide()
            var closed = 0
            while side.phase == .waiting {
                let received = TakeoverClient.receive(pair.far, into: &side, until: .now() + .seconds(20))
                guard case .received = received else {
                    Issue.record("\(received)")
                    break
                }
                try outbox.flush(to: pair.near)
            }
            #expect(side.phase == .offered)
            #expect(side.listeners.count == 601)
            #expect(side.listeners.first?.sockets.count == 300)
            #expect(side.listeners.dropFirst().allSatisfy { $0.sockets.count == 1 })
            for socket in side.listeners.flatMap(\.sockets) + [pair.near, pair.far] {
                Kernel.close(socket)
                closed += 1
            }
            #expect(closed == 902)
        }
    }
}
