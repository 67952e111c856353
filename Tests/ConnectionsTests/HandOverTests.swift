import System
import TestSupport
import Testing

@testable import Connections

/// A connection that gets another owner goes on where it was.
@Suite struct HandOverTests {
    @Test(arguments: Kind.allCases) func `what is queued is sent by the new connection`(_ kind: Kind) throws {
        let scene = try ConnectionUnderTest(kind)
        let owner = Listener(scene.context)
        let bytes = much
        scene.connection.send(bytes.span)
        let (queued, memory) = (scene.connection.queuedBytes, scene.listener.queuedMemory)
        #expect(queued > 0)

        let heir = scene.connection.handOver(to: owner)
        defer {
            heir.close()
            scene.closePeer()
        }
        #expect(!scene.connection.isOpen && scene.connection.queuedBytes == 0 && !scene.connection.mayRead)
        #expect(heir.queuedBytes == queued && heir.queuedSince != nil && heir.countedMemory == memory)
        // The memory is counted already: neither owner is told of it again.
        #expect(scene.listener.queuedMemory == memory && owner.queuedMemory == 0)
        let more: [UInt8] = [1, 2, 3]
        heir.send(more.span)
        #expect(scene.readPeer(upTo: bytes.count + 3).bytes == bytes + more)
        #expect(scene.listener.queuedMemory + owner.queuedMemory == 0)
        #expect(owner.flushes > 0 && scene.listener.flushes == 0)
    }

    @Test func `what is staged goes out before the hand-over`() throws {
        let scene = try ConnectionUnderTest()
        let owner = Listener(scene.context)
        scene.loop.sends.expect(sends: 100)
        let bytes: [UInt8] = [1, 2, 3]
        scene.connection.send(bytes.span)
        #expect(!scene.connection.hasSentAll)
        let heir = scene.connection.handOver(to: owner)
        defer {
            heir.close()
            scene.closePeer()
        }
        #expect(heir.hasSentAll && scene.readPeer(upTo: 3).bytes == bytes)
    }

    @Test func `what came before and was not read is the new owner's`() throws {
        let scene = try ConnectionUnderTest()
        let owner = Listener(scene.context)
        scene.listener.reads = false
        scene.sendFromPeer([1, 2])
        #expect(
            scene.turn { scene.connection.mayRead && Kernel.waitToRead(scene.connection.descriptor, within: .zero) })
        let heir = scene.connection.handOver(to: owner)
        defer {
            heir.close()
            scene.closePeer()
        }
        #expect(heir.mayRead)
        owner.read(heir)
        #expect(owner.received == [1, 2] && scene.listener.received.isEmpty)
        scene.sendFromPeer([3])
        #expect(scene.turn { owner.received == [1, 2, 3] })
    }

    @Test func `a turn that was asked for earlier is the new owner's, once`() throws {
        let scene = try ConnectionUnderTest()
        let owner = CountingOwner()
        scene.connection.readAgainLater()
        let heir = scene.connection.handOver(to: owner)
        defer {
            heir.close()
            scene.closePeer()
        }
        #expect(heir.isScheduled)
        heir.readAgainLater()
        scene.loop.turn(waitingAtMost: .zero)
        #expect(owner.turns == 1 && !heir.isScheduled)
    }

    @Test func `a reset that came before fails the new connection`() throws {
        let scene = try ConnectionUnderTest()
        let owner = Listener(scene.context)
        scene.listener.reads = false
        scene.resetPeer()
        #expect(scene.turn { scene.connection.hasEnded })
        let heir = scene.connection.handOver(to: owner)
        defer { heir.close() }
        #expect(heir.hasEnded && heir.takeFailure() == .reset)
    }

    @Test func `closing the old connection does nothing`() throws {
        let scene = try ConnectionUnderTest()
        let owner = Listener(scene.context)
        let heir = scene.connection.handOver(to: owner)
        defer {
            heir.close()
            scene.closePeer()
        }
        scene.connection.close(abruptly: true)
        scene.connection.send([9].span)
        #expect(heir.isOpen)
        heir.send([1].span)
        #expect(scene.readPeer(upTo: 1).bytes == [1])
    }
}

/// Counts the turns that were asked for.
private final class CountingOwner: ConnectionOwner {
    var turns = 0

    func ready(_ connection: Connection, _ readiness: Readiness) { if readiness.isNone { self.turns += 1 } }
}
