import Configuration
import Synchronization
import System
import TestSupport
import Testing

@testable import ControlPlane
@testable import DataPlane

/// Tokens whose file system hangs.
@Suite struct TokenWatchTests {
    /// One file, which may hang.
    private final class Files: Sendable {
        private let text = Mutex("a: 127.0.0.1:1")
        private let isHanging = Atomic(false)
        private let bell: Doorbell
        let hangs = Atomic(false)

        init() throws { self.bell = try Doorbell() }

        func hang() { self.isHanging.store(true, ordering: .sequentiallyConsistent) }

        func goOn(_ text: String) {
            self.text.withLock { $0 = text }
            self.isHanging.store(false, ordering: .sequentiallyConsistent)
            self.bell.ring()
        }

        var access: FileReader.Access {
            FileReader.Access(
                read: { _ throws(FileError) in
                    while self.isHanging.load(ordering: .sequentiallyConsistent) {
                        self.hangs.store(true, ordering: .sequentiallyConsistent)
                        self.bell.wait()
                    }
                    return Array(self.text.withLock { $0 }.utf8)
                },
                // What was read for the first time is read once more.
                stamp: { _ in nil }, names: { _ in nil })
        }
    }

    @Test func `tokens stay in force while their files hang, and the control thread goes on`() throws {
        try SyscallFaults.exclusively {
            let files = try Files()
            var settings = GatewayConfiguration.serving([.echo])
            let kind = BackendSettings.Kind.tokens(.init(path: "/hanging/tokens", place: .path), message: .binary)
            settings.backends["vnc"] = BackendSettings(name: "vnc", kind: kind)
            settings.log.file = temporaryPath(".log")
            defer { removeFile(settings.log.file ?? "") }
            let gateway = try Gateway(settings, fileAccess: files.access)
            let tokens = try #require(gateway.serving.configuration.backend(named: "vnc")?.tokens)
            #expect(tokens.current?.endpoint(for: "a")?.name == "127.0.0.1:1")

            files.hang()
            var ticks = 0
            let ticking = ControlTimer(gateway.loop, every: .milliseconds(10)) { ticks += 1 }
            gateway.tokens.use(gateway.serving.configuration)
            try self.turn(gateway) { files.hangs.load(ordering: .sequentiallyConsistent) }
            let before = ticks
            try self.turn(gateway) { ticks > before + 10 }
            #expect(tokens.current?.endpoint(for: "a")?.name == "127.0.0.1:1")

            files.goOn("b: 127.0.0.1:2")
            try self.turn(gateway) { tokens.current?.endpoint(for: "b") != nil }
            #expect(tokens.current?.endpoint(for: "a") == nil)
            ticking.cancel()
            gateway.terminate()
            gateway.run()
        }
    }

    @Test func `tokens stay in force while there are no descriptors, and the change is read later`() throws {
        try SyscallFaults.exclusively {
            let path = temporaryPath(".tokens")
            try write("a: 127.0.0.1:1\n", to: path)
            var settings = GatewayConfiguration.serving([.echo])
            let kind = BackendSettings.Kind.tokens(.init(path: path, place: .path), message: .binary)
            settings.backends["vnc"] = BackendSettings(name: "vnc", kind: kind)
            settings.log.file = temporaryPath(".log")
            defer { for file in [path, settings.log.file ?? ""] { removeFile(file) } }
            let short = Shortage()
            let gateway = try Gateway(settings, fileAccess: short.access)
            let tokens = try #require(gateway.serving.configuration.backend(named: "vnc")?.tokens)
            #expect(tokens.current?.endpoint(for: "a") != nil)
            gateway.tokens.use(gateway.serving.configuration)

            short.isShort.store(true, ordering: .relaxed)
            let before = short.reads.load(ordering: .relaxed)
            try write("b: 127.0.0.1:22\n", to: path)
            try self.turn(gateway) { short.reads.load(ordering: .relaxed) >= before + 3 }
            #expect(tokens.current?.endpoint(for: "a") != nil)

            short.isShort.store(false, ordering: .relaxed)
            try self.turn(gateway) { tokens.current?.endpoint(for: "b") != nil }
            #expect(tokens.current?.endpoint(for: "a") == nil)
            gateway.terminate()
            gateway.run()
        }
    }

    /// Turns the loop of this gateway: the test is its control thread.
    private func turn(_ gateway: Gateway, until isDone: () -> Bool) throws {
        let end = MonotonicInstant.now() + .seconds(30)
        while !isDone() {
            try #require(.now() < end, "nothing happens any more")
            gateway.loop.turn(waitingAtMost: .seconds(1))
        }
    }
}
