import System
import TestSupport
import Testing

@testable import Connections

@Suite struct ConnectionTests {
    // MARK: - Sending

    @Test(arguments: Kind.allCases) func `what the socket does not accept is queued, and sent in order later`(
        _ kind: Kind
    ) throws {
        let scene = try ConnectionUnderTest(kind)
        defer { scene.end() }
        let bytes = much
        scene.connection.send(bytes.span)
        let queued = scene.connection.queuedBytes
        #expect(queued > 0 && scene.connection.hasUntaken && !scene.connection.hasSentAll)
        #expect(scene.connection.queuedSince == scene.loop.now)
        #expect(scene.listener.queuedMemory >= queued && scene.listener.queuedMemory == scene.connection.countedMemory)
        let more: [UInt8] = [1, 2, 3]
        scene.connection.send(more.span)
        #expect(scene.connection.queuedBytes == queued + 3)
        #expect(scene.readPeer(upTo: bytes.count + 3).bytes == bytes + more)
        #expect(scene.connection.hasSentAll && scene.connection.queuedSince == nil)
        #expect(scene.listener.queuedMemory == 0 && scene.listener.flushes > 0)
        #expect(scene.connection.state == .open)
    }

    @Test func `short writes lose nothing`() throws {
        try SyscallFaults.exclusively {
            SyscallFaults.limitTransfers(to: 7)
            let scene = try ConnectionUnderTest(.unix)
            defer { scene.end() }
            let bytes = someBytes(10_000)
            scene.connection.send(bytes.span)
            #expect(scene.readPeer(upTo: bytes.count).bytes == bytes)
        }
    }

    @Test func `asking whether everything is sent sends nothing`() throws {
        let scene = try ConnectionUnderTest()
        defer { scene.end() }
        scene.loop.sends.expect(sends: 100)
        let bytes: [UInt8] = [1, 2, 3]
        scene.connection.send(bytes.span)
        #expect(!scene.connection.hasSentAll && !scene.connection.hasUntaken)
        #expect(Kernel.waitToRead(scene.peer, within: .zero) == false)
        scene.connection.sendStaged()
        #expect(scene.connection.hasSentAll)
        #expect(scene.readPeer(upTo: 3).bytes == bytes)
    }

    // MARK: - What comes before everything else

    @Test(arguments: [1, 2, 20, 2000]) func `of a preface no byte too many is taken, however it comes`(
        piece: Int
    ) throws {
        let scene = try ConnectionUnderTest()
        defer { scene.end() }
        scene.listener.prefaceLength = 1500
        let bytes = someBytes(1700)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            scene.sendFromPeer(Array(bytes[start..<min(start + piece, bytes.count)]))
            scene.loop.turn(waitingAtMost: .zero)
        }
        #expect(scene.turn { scene.listener.received.count == 200 })
        #expect(scene.listener.preface == Array(bytes[..<1500]) && scene.listener.received == Array(bytes[1500...]))
    }

    @Test func `short reads lose nothing of a preface`() throws {
        try SyscallFaults.exclusively {
            SyscallFaults.limitTransfers(to: 7)
            let scene = try ConnectionUnderTest(.unix)
            defer { scene.end() }
            scene.listener.prefaceLength = 30
            for byte in someBytes(50) { scene.sendFromPeer([byte]) }
            #expect(scene.turn { scene.listener.received.count == 20 })
            #expect(scene.listener.preface + scene.listener.received == someBytes(50))
        }
    }

    @Test(arguments: [true, false]) func `an end in the middle of a preface is seen`(abruptly: Bool) throws {
        let scene = try ConnectionUnderTest()
        defer { scene.end() }
        scene.listener.prefaceLength = 30
        scene.sendFromPeer(someBytes(10))
        #expect(scene.turn { scene.listener.preface.count == 10 })
        if abruptly { scene.resetPeer() } else { scene.closePeer() }
        #expect(scene.turn { scene.listener.end != nil })
        #expect(scene.listener.end == (abruptly ? .failed(.reset) : .end(inOrder: true)))
    }

    // MARK: - Ends

    @Test(arguments: Kind.allCases) func `our side shuts down at once if nothing is queued, and the peer may go on`(
        _ kind: Kind
    ) throws {
        let scene = try ConnectionUnderTest(kind)
        defer { scene.end() }
        scene.connection.shutDown()
        #expect(scene.connection.state == .shutDown)
        #expect(scene.readPeer().end == .end)
        scene.sendFromPeer([1, 2])
        #expect(scene.turn { scene.listener.received == [1, 2] })
        #expect(scene.connection.undelivered == 0 && scene.listener.end == nil)
    }

    @Test(arguments: Kind.allCases) func `our side shuts down after the queue, and accepts nothing more meanwhile`(
        _ kind: Kind
    ) throws {
        let scene = try ConnectionUnderTest(kind)
        defer { scene.end() }
        let bytes = much
        scene.connection.send(bytes.span)
        scene.connection.shutDown()
        #expect(scene.connection.state == .shuttingDown)
        let queued = scene.connection.queuedBytes
        scene.connection.send([9].span)
        scene.connection.shutDown()
        #expect(scene.connection.queuedBytes == queued)
        let (received, end) = scene.readPeer()
        #expect(received == bytes && end == .end)
        #expect(scene.connection.state == .shutDown)
        #expect(scene.turn { scene.connection.undelivered == 0 })
    }

    @Test(arguments: Kind.allCases) func `a peer that has ended its side can still be sent bytes`(_ kind: Kind) throws {
        let scene = try ConnectionUnderTest(kind)
        defer { scene.end() }
        scene.sendFromPeer([1])
        Kernel.endWriting(scene.peer)
        #expect(scene.turn { scene.listener.end == .end(inOrder: true) })
        #expect(scene.listener.received == [1] && scene.connection.hasEnded && scene.connection.state == .open)
        scene.connection.send([2, 3].span)
        #expect(scene.readPeer(upTo: 2).bytes == [2, 3])
    }

    /// Whether bytes are queued, whether it closes abruptly, and what the peer sees.
    @Test(arguments: [
        (false, false, ConnectionUnderTest.End.end), (false, true, .reset), (true, false, .reset), (true, true, .reset),
    ])
    func `closing with queued bytes is a reset`(
        isQueued: Bool, abruptly: Bool, end: ConnectionUnderTest.End
    ) throws {
        let scene = try ConnectionUnderTest()
        defer { scene.end() }
        let bytes = much
        if isQueued { scene.connection.send(bytes.span) }
        scene.connection.close(abruptly: abruptly)
        #expect(scene.connection.state == .closed && !scene.connection.isOpen)
        #expect(scene.connection.queuedBytes == 0 && scene.listener.queuedMemory == 0)
        #expect(scene.connection.hasUntaken == isQueued && (scene.connection.undelivered > 0) == isQueued)
        #expect(scene.readPeer().end == end)
    }

    @Test func `a closed connection does nothing more`() throws {
        let scene = try ConnectionUnderTest()
        defer { scene.end() }
        scene.connection.close()
        scene.connection.send([1].span)
        scene.connection.shutDown()
        scene.connection.readAgainLater()
        scene.connection.close(abruptly: true)
        #expect(scene.connection.state == .closed && scene.connection.undelivered == 0)
        let (received, end) = scene.readPeer()
        #expect(received == [] && end == .end)
    }

    // MARK: - Failures

    @Test func `a reset is reported after what came before it, and queued bytes are discarded`() throws {
        let scene = try ConnectionUnderTest()
        defer { scene.end() }
        scene.listener.reads = false
        let bytes = much
        scene.connection.send(bytes.span)
        let queued = scene.connection.queuedBytes
        #expect(queued > 0)
        scene.sendFromPeer([1, 2, 3])
        scene.resetPeer()
        #expect(scene.turn { scene.connection.hasEnded })
        // Sending notices it first.
        scene.connection.send([4].span)
        scene.listener.read(scene.connection)
        #expect(scene.listener.end == .failed(.reset) && scene.connection.failure == .reset)
        #expect(scene.connection.hasUntaken && scene.connection.undelivered > 0)
        #expect(scene.connection.queuedBytes == 0 && scene.listener.queuedMemory == 0)
        #expect(!scene.connection.hasStalled)
        // The queue will never be sent, so shutting down does not complete: the owner has to close it.
        scene.connection.shutDown()
        #expect(scene.connection.state == .shuttingDown)
        scene.connection.close()
        #expect(scene.connection.state == .closed && scene.connection.undelivered > 0)
    }

    @Test func `a paused connection that was reset fails at once`() throws {
        let scene = try ConnectionUnderTest()
        defer { scene.end() }
        scene.connection.pause()
        scene.sendFromPeer([1, 2, 3])
        scene.resetPeer()
        #expect(scene.turn { scene.listener.end == .failed(.reset) })
        #expect(scene.listener.received == [] && !scene.connection.isPaused)
    }

    @Test func `a paused connection is read again when it is resumed`() throws {
        let scene = try ConnectionUnderTest(.unix)
        defer { scene.end() }
        scene.connection.pause()
        scene.sendFromPeer([1, 2, 3])
        #expect(scene.turn { scene.connection.mayRead })
        #expect(scene.listener.received == [])
        #expect(scene.connection.resume() >= .zero)
        scene.connection.readAgainLater()
        #expect(scene.connection.isScheduled)
        #expect(scene.turn { scene.listener.received == [1, 2, 3] })
        #expect(scene.connection.resume() == .zero)
    }

    @Test(arguments: [
        (SystemError("recv", 104), ConnectionFailure.reset, "Connection reset by peer"),
        (SystemError("send", 32), .reset, "Connection reset by peer"),
        (SystemError("recv", 110), .timedOut, "Connection timed out"),
        (SystemError("recv", 113), .system(SystemError("recv", 113)), "No route to host"),
    ])
    func `a failed call is a failure of the connection`(error: SystemError, failure: ConnectionFailure, words: String) {
        #expect(ConnectionFailure(error) == failure)
        #expect(failure.description == words)
    }
}
