import System
import TestSupport
import Testing
import WebSocketProtocol

@testable import Connections
@testable import DataPlane
@testable import Sessions

/// A session that ends while others use most of each turn waits for them, and misses nothing.
@Suite struct CrowdedTurnTests {
    /// Records what its session tells it.
    private final class Recorder: Conversation {
        let tally = PerLeg(client: MessageTally(), backend: MessageTally())
        let places = ClosingHandshake.Places()
        var drained: [Leg] = []
        var hasEnded = false

        let takesMore = true
        func takePlace() -> FramePlace? { nil }
        func place(of leg: Leg) -> FramePlace? { nil }
        func begin() {}
        func received(_ range: Range<Int>, from leg: Leg) {}
        func prepare(for event: ClosingHandshake.Event) {
            if event == .ended(.client, .inOrder) { self.hasEnded = true }
        }
        func follow(_ closing: ClosingHandshake) {}
        func drained(_ leg: Leg) { self.drained.append(leg) }
        func ping(_ leg: Leg) {}
    }

    private final class Scene {
        let place: StillWorker
        let loop: EventLoop
        let crowd: Crowd
        let recorder = Recorder()
        let session: Session
        /// The client's end.
        let descriptor: Int32
        private let buffer = ReadBuffer(count: 1 << 20)

        init() throws {
            self.place = try StillWorker()
            self.loop = self.place.worker.loop
            self.crowd = Crowd(self.loop)
            let listener = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
            defer { Kernel.close(listener) }
            self.descriptor = try Kernel.connect(Kernel.localAddress(listener) ?? .unnamed, from: nil)
            guard case .accepted(let descriptor, let address) = Kernel.accept(listener) else {
                throw SystemError("accept", 0)
            }
            self.session = try self.place.session(descriptor, address)
            self.session.open(as: self.recorder)
            try self.crowd.begin()
        }

        func turn() { self.loop.turn(waitingAtMost: .seconds(1)) }

        func readAll() {
            let buffer = self.buffer
            while true {
                var room = buffer.mutableSpan
                guard case .bytes = Kernel.receive(self.descriptor, into: &room) else { return }
            }
        }

        func end() {
            self.crowd.end()
            Kernel.close(self.descriptor)
            self.place.end()
        }
    }

    private func run(_ body: (Scene) throws -> Void) throws {
        try SyscallFaults.exclusively {
            let scene = try Scene()
            defer { scene.end() }
            try body(scene)
        }
    }

    @Test func `an end is handled in a later turn`() throws {
        try self.run { scene in
            scene.turn()
            Kernel.endWriting(scene.descriptor)
            for _ in 0..<3 where !scene.recorder.hasEnded { scene.turn() }
            #expect(scene.recorder.hasEnded)
        }
    }

    /// After a client has ended its side, each of its events says so again, also those that flush its queue.
    @Test(arguments: [false, true]) func `held-back bytes are passed on`(afterTheEnd: Bool) throws {
        try self.run { scene in
            let client = try #require(scene.session.client)
            client.send([UInt8](repeating: 7, count: 16 << 20).span)
            #expect(client.queuedBytes > 0)
            Kernel.endWriting(scene.descriptor)
            if afterTheEnd { while !scene.recorder.hasEnded { scene.turn() } }
            while client.queuedBytes > 0 {
                scene.readAll()
                scene.turn()
            }
            // It may be told more than once: the last bytes may take more than one flush.
            #expect(Set(scene.recorder.drained) == [.client])
        }
    }
}
