import System
import TLS
import TestSupport
import Testing

@testable import Connections

/// A connector and a server on the same loop.
@Suite struct ConnectorTests {
    private final class History: AddressHistory {
        var failed: [SocketAddress] = []
        var connected: [SocketAddress] = []

        func failed(at address: SocketAddress, now: MonotonicInstant) { self.failed.append(address) }
        func connected(at address: SocketAddress) { self.connected.append(address) }
    }

    /// Both ends, each with its owner.
    private final class Scene {
        let loop: EventLoop
        let context: ConnectionContext
        let client: Listener
        let server: Listener
        let history = History()
        private var listeners: [Int32] = []
        private var contexts: [AnyObject] = []
        private let certificate: Certificate

        init() throws {
            self.loop = try EventLoop()
            self.context = ConnectionContext(self.loop, readSize: 16 << 10)
            self.client = Listener(self.context)
            self.server = Listener(self.context)
            self.certificate = try Certificate.selfSigned(names: ["localhost"])
        }

        func end() {
            self.client.connector?.end()
            self.client.connection?.close()
            self.server.connection?.close()
            for listener in self.listeners { Kernel.close(listener) }
        }

        func listen() throws -> (descriptor: Int32, address: SocketAddress) {
            let descriptor = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
            self.listeners.append(descriptor)
            return (descriptor, try #require(Kernel.localAddress(descriptor)))
        }

        /// An address without a listener.
        func deadAddress() throws -> SocketAddress {
            let descriptor = try Kernel.listen(.loopback(port: 0), sharedByWorkers: false)
            defer { Kernel.close(descriptor) }
            return try #require(Kernel.localAddress(descriptor))
        }

        func connect(
            to addresses: [SocketAddress], preface: [UInt8] = [], tls: Bool = false,
            within limit: Duration = .seconds(20)
        ) throws {
            let client = try TLSClientContext(TLSClientSettings(verify: false), io: self.context.tlsIO)
            self.contexts.append(client)
            let connector = Connector(
                to: addresses, preface: preface,
                tls: { tls ? try client.makeConnection(serverName: "localhost") : nil },
                history: self.history, within: limit, self.context, for: self.client)
            self.client.connector = connector
            connector.start()
        }

        func accept(_ listener: Int32, tls: Bool = false) throws {
            guard waitToRead(listener), case .accepted(let descriptor, let address) = Kernel.accept(listener) else {
                throw SystemError("accept", 0)
            }
            let settings = TLSServerSettings(identity: "test", certificates: [self.certificate])
            let context = try TLSServerContext(settings, io: self.context.tlsIO, tickets: TicketKeys())
            self.contexts.append(context)
            self.server.isShakingHands = tls
            self.server.connection = try Connection(
                descriptor, address, tls: tls ? context.makeConnection() : nil, owner: self.server, self.context)
        }

        func turn(until condition: () -> Bool) -> Bool {
            let deadline = MonotonicInstant.now() + .seconds(20)
            while !condition(), .now() < deadline { self.loop.turn(waitingAtMost: .seconds(1)) }
            return condition()
        }
    }

    @Test func `an address that refuses is followed by the next one`() throws {
        let scene = try Scene()
        defer { scene.end() }
        let dead = try scene.deadAddress()
        let (listener, address) = try scene.listen()
        try scene.connect(to: [dead, address])
        #expect(scene.turn { scene.client.connection != nil })
        #expect(scene.history.failed == [dead] && scene.history.connected == [address])
        try scene.accept(listener)
        scene.client.connection?.send([1, 2].span)
        #expect(scene.turn { scene.server.received == [1, 2] })
    }

    @Test func `if all addresses refuse, there is no connection`() throws {
        let scene = try Scene()
        defer { scene.end() }
        try scene.connect(to: [try scene.deadAddress()])
        #expect(scene.turn { scene.client.failure != nil })
        guard case .host(let failure)? = scene.client.failure else {
            Issue.record("\(String(describing: scene.client.failure))")
            return
        }
        #expect(failure == .init(reason: "Connection refused", silent: .none))
    }

    @Test func `a TLS handshake is a part of connecting`() throws {
        let scene = try Scene()
        defer { scene.end() }
        let (listener, address) = try scene.listen()
        try scene.connect(to: [address], tls: true)
        try scene.accept(listener, tls: true)
        #expect(scene.turn { scene.client.connection != nil })
        let client = try #require(scene.client.connection)
        client.send(someBytes(100_000).span)
        #expect(scene.turn { scene.server.received.count == 100_000 })
        #expect(scene.server.received == someBytes(100_000))
    }

    @Test(arguments: [true, false]) func `a preface comes before TLS`(
        tls: Bool
    ) throws {
        let scene = try Scene()
        defer { scene.end() }
        let (listener, address) = try scene.listen()
        let preface = someBytes(52)
        scene.server.prefaceLength = preface.count
        try scene.connect(to: [address], preface: preface, tls: tls)
        try scene.accept(listener, tls: tls)
        #expect(scene.turn { scene.client.connection != nil })
        scene.client.connection?.send([7, 8].span)
        #expect(scene.turn { scene.server.received == [7, 8] })
        #expect(scene.server.preface == preface)
    }

    /// Whether the peer sends a close_notify, and how its end counts.
    @Test(arguments: [true, false]) func `an end over TLS is in order only with a close_notify`(saysSo: Bool) throws {
        let scene = try Scene()
        defer { scene.end() }
        let (listener, address) = try scene.listen()
        try scene.connect(to: [address], tls: true)
        try scene.accept(listener, tls: true)
        #expect(scene.turn { scene.client.connection != nil })
        let server = try #require(scene.server.connection)
        #expect(scene.turn { !scene.server.isShakingHands })
        server.send([7].span)
        server.sendStaged()
        if saysSo { server.shutDown() } else { Kernel.endWriting(server.descriptor) }
        #expect(scene.turn { scene.client.end != nil })
        #expect(scene.client.received == [7])
        #expect(scene.client.end == .end(inOrder: saysSo))
    }

    @Test func `after a peer that does not speak TLS the next address is tried`() throws {
        let scene = try Scene()
        defer { scene.end() }
        let (plain, wrong) = try scene.listen()
        let (listener, right) = try scene.listen()
        try scene.connect(to: [wrong, right], tls: true)
        try scene.accept(plain)
        let first = try #require(scene.server.connection)
        first.send(Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8).span)
        #expect(scene.turn { scene.server.end != nil })
        first.close()
        scene.server.end = nil
        scene.server.received = []
        try scene.accept(listener, tls: true)
        #expect(scene.turn { scene.client.connection != nil })
        #expect(scene.history.failed == [wrong] && scene.history.connected == [wrong, right])
    }

    @Test func `a TLS handshake without an answer ends with the time limit`() throws {
        let scene = try Scene()
        defer { scene.end() }
        let (listener, address) = try scene.listen()
        try scene.connect(to: [address], tls: true, within: .milliseconds(50))
        try scene.accept(listener)
        #expect(scene.turn { scene.client.failure != nil })
        guard case .host(let failure)? = scene.client.failure else {
            Issue.record("\(String(describing: scene.client.failure))")
            return
        }
        #expect(failure == .init(reason: "the TLS handshake timed out", silent: .all, isInHandshake: true))
        // In order: a server that logs resets has no line for it.
        #expect(scene.turn { scene.server.end != nil })
        #expect(scene.server.end == .end(inOrder: true))
    }

    /// The reason says how far the connection had come.
    @Test(arguments: [
        (true, "TLS: Connection reset by peer"),
        (false, "TLS: the peer ended the connection during the TLS handshake"),
    ])
    func `an end during the TLS handshake is called what it is`(isReset: Bool, reason: String) throws {
        let scene = try Scene()
        defer { scene.end() }
        let (listener, address) = try scene.listen()
        try scene.connect(to: [address], tls: true)
        try scene.accept(listener)
        let server = try #require(scene.server.connection)
        #expect(scene.turn { !scene.server.received.isEmpty })
        server.close(abruptly: isReset)
        #expect(scene.turn { scene.client.failure != nil })
        guard case .host(let failure)? = scene.client.failure else {
            Issue.record("\(String(describing: scene.client.failure))")
            return
        }
        #expect(failure == .init(reason: reason, silent: .none))
    }
}
