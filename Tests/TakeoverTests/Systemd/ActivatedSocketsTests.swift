import Glibc
import System
import TestSupport
import Testing

@testable import Takeover

/// Sockets as a service manager passes them, with an environment and descriptors of the test's choice.
@Suite(.serialized) struct ActivatedSocketsTests {
    /// No other descriptor of this process is so high.
    private static let first: Int32 = 900

    /// Puts copies of `descriptors` in a row, calls `body`, and closes the copies.
    private func activated(
        _ descriptors: [Int32], count: String? = nil, process: Int32 = 42, names: String? = nil,
        _ body: (() throws -> ActivatedSockets) throws -> Void
    ) throws {
        OwnProcess.raiseDescriptorLimit()
        for (index, descriptor) in descriptors.enumerated() {
            try #require(dup2(descriptor, Self.first + Int32(index)) >= 0)
        }
        defer { for index in descriptors.indices { Kernel.close(Self.first + Int32(index)) } }
        let environment = [
            "LISTEN_PID": "\(process)", "LISTEN_FDS": count ?? "\(descriptors.count)", "LISTEN_FDNAMES": names,
        ].compactMapValues { $0 }
        try body { try ActivatedSockets(environment: { environment[$0] }, process: 42, first: Self.first) }
    }

    private func listener(_ address: SocketAddress = .loopback(port: 0)) throws -> Int32 {
        try Kernel.listen(address, sharedByWorkers: false)
    }

    @Test func `sockets go to the listeners with their addresses`() throws {
        let path = temporaryPath(".sock")
        let listeners = [try self.listener(), try self.listener(.unix(path: path)), try self.listener()]
        defer {
            for listener in listeners { Kernel.close(listener) }
            removeFile(path)
        }
        // A service manager leaves them blocking, and without close-on-exec.
        _ = fcntl(listeners[0], F_SETFL, 0)
        try self.activated(listeners, names: "web::other") { make in
            var sockets = try make()
            #expect(!sockets.isEmpty)
            #expect(sockets.take(.loopback(port: 1)).isEmpty)
            let address = try #require(Kernel.localAddress(listeners[0]))
            #expect(sockets.take(address) == [Self.first])
            #expect(sockets.take(address).isEmpty)
            #expect(fcntl(Self.first, F_GETFL) & O_NONBLOCK != 0)
            #expect(fcntl(Self.first, F_GETFD) == FD_CLOEXEC)
            #expect(sockets.take(.unix(path: path)) == [Self.first + 1])
            let last = try #require(Kernel.localAddress(listeners[2]))
            #expect(
                throws: StartError("the service manager opened \(last) (other), but no listener has that address")
            ) { try sockets.requireAllTaken() }
            #expect(sockets.take(last) == [Self.first + 2])
            try sockets.requireAllTaken()
        }
    }

    static let everywhere = SocketAddress.ipv6(high: 0, low: 0, port: 80, scope: 0)
    static let matches: [(bound: SocketAddress, configured: SocketAddress, fits: Bool)] = [
        (.ipv4(1, port: 80), .ipv4(1, port: 80), true),
        (.ipv4(1, port: 80), .ipv4(1, port: 81), false),
        (.ipv4(1, port: 80), .ipv4(2, port: 80), false),
        (everywhere, everywhere, true),
        (.ipv4(0, port: 80), everywhere, true),
        (.ipv4(0, port: 81), everywhere, false),
        (.ipv4(1, port: 80), everywhere, false),
        // A listener at every IPv4 address is not one at every address.
        (everywhere, .ipv4(0, port: 80), false),
        (.ipv6(high: 0, low: 1, port: 80, scope: 0), everywhere, false),
        (.unix(path: "/x"), .unix(path: "/x"), true),
        (.unix(path: "/x"), .unix(path: "/y"), false),
        (.unnamed, everywhere, false),
    ]

    @Test(arguments: matches) func `an address matches the listener it is for`(
        bound: SocketAddress, configured: SocketAddress, fits: Bool
    ) {
        #expect(bound.serves(configured) == fits)
    }

    @Test func `sockets for another process are left alone`() throws {
        let listener = try self.listener()
        defer { Kernel.close(listener) }
        try self.activated([listener], process: 41) { make in
            let sockets = try make()
            #expect(sockets.isEmpty)
            try sockets.requireAllTaken()
        }
        #expect(try ActivatedSockets(environment: { _ in nil }, process: 42).isEmpty)
    }

    @Test func `a socket that does not listen is named`() throws {
        let listener = try self.listener()
        let connected = try Kernel.connect(#require(Kernel.localAddress(listener)))
        let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { for descriptor in [listener, connected, datagrams] { Kernel.close(descriptor) } }
        let second = "descriptor \(Self.first + 1)"
        try self.activated([listener, connected], names: "a:b") { make in
            #expect(throws: StartError("\(second) (b) of LISTEN_FDS does not listen")) { try make() }
        }
        try self.activated([listener, datagrams]) { make in
            #expect(throws: StartError("\(second) of LISTEN_FDS is not a stream socket")) { try make() }
        }
        try self.activated([listener], count: "2") { make in
            #expect(throws: StartError("\(second) of LISTEN_FDS is not open")) { try make() }
        }
        for count in ["x", "-1", "2147483647"] {
            try self.activated([listener], count: count) { make in
                #expect(throws: StartError("LISTEN_FDS is `\(count)`, which is no number of sockets")) { try make() }
            }
        }
    }
}
