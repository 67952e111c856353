import Configuration
import System
import Testing

@testable import DataPlane

@Suite struct EndpointTests {
    private func webSocket(_ host: String, tls: Bool = false) -> Endpoint {
        Endpoint(
            WebSocketEndpoint(
                address: .tcp(host: host, port: 3000), tls: tls, authority: "\(host):3000", path: .fixed("/chat"))
        )
    }

    @Test func `a literal is known at once`() throws {
        let endpoint = self.webSocket("127.0.0.1")
        #expect(endpoint.addresses(at: .now()) == .success([.loopback(port: 3000)]))
        #expect(endpoint.hostToResolve == nil)
        #expect(!endpoint.wantsLookUp())
        #expect(endpoint.name == "ws://127.0.0.1:3000/chat")
        #expect(!endpoint.usesTLS)
        #expect(endpoint.webSocket?.path == .fixed("/chat"))
        let ipv6 = Endpoint(TCPEndpoint(address: .tcp(host: "::1", port: 9), tls: true))
        #expect(ipv6.addresses(at: .now()) == .success([.ipv6(high: 0, low: 1, port: 9, scope: 0)]))
        #expect(ipv6.name == "tls://[::1]:9")
        #expect(ipv6.usesTLS)
        #expect(ipv6.webSocket == nil)
    }

    @Test func `a Unix socket needs no look-up`() {
        let address = Address.unix(path: "/run/x.sock")
        let webSocket = WebSocketEndpoint(address: address, tls: false, authority: "localhost", path: .fixed("/chat"))
        for (endpoint, name) in [
            (Endpoint(TCPEndpoint(address: address)), "unix:/run/x.sock"),
            (Endpoint(webSocket), "ws+unix:/run/x.sock:/chat"),
        ] {
            #expect(endpoint.addresses(at: .now()) == .success([.unix(path: "/run/x.sock")]))
            #expect(endpoint.hostToResolve == nil)
            #expect(!endpoint.wantsLookUp())
            #expect(endpoint.hostName == nil)
            #expect(endpoint.name == name)
        }
    }

    @Test func `a name has no address before its look-up`() throws {
        let endpoint = self.webSocket("chat.internal", tls: true)
        #expect(endpoint.addresses(at: .now()) == .success([]))
        let question = try #require(endpoint.hostToResolve)
        #expect(question == ("chat.internal", 3000))
        // The control thread is told once, and again after it has looked.
        #expect(endpoint.wantsLookUp())
        #expect(!endpoint.wantsLookUp())
        endpoint.takeLookUp()
        #expect(endpoint.wantsLookUp())
        #expect(endpoint.usesTLS)
    }

    @Test func `a failed look-up keeps the last good addresses`() {
        let endpoint = self.webSocket("chat.internal")
        let failure = ResolveError(host: "chat.internal", reason: "gone")
        #expect(endpoint.update(.failure(failure)))
        #expect(endpoint.addresses(at: .now()) == .failure(failure))
        #expect(!endpoint.update(.failure(failure)))
        #expect(endpoint.update(.success([.loopback(port: 1)])))
        #expect(!endpoint.update(.success([.loopback(port: 1)])))
        #expect(!endpoint.update(.failure(failure)))
        #expect(endpoint.addresses(at: .now()) == .success([.loopback(port: 1)]))
        #expect(endpoint.update(.success([.loopback(port: 2)])))
        #expect(endpoint.addresses(at: .now()) == .success([.loopback(port: 2)]))
    }

    @Test func `addresses survive conversion there and back`() {
        for text in ["127.0.0.1", "::1", "2001:db8::5", "::ffff:10.0.0.1"] {
            let address = IPAddress(text)
            #expect(address.flatMap { SocketAddress($0, port: 5).ip } == address)
            #expect(address.flatMap { SocketAddress($0, port: 5).port } == 5)
        }
        #expect(SocketAddress.unix(path: "/x").ip == nil)
        #expect(SocketAddress.unnamed.ip == nil)
    }
}
