import Synchronization
import Testing

@testable import System

@Suite struct ResolverTests {
    @Test func `an address in digits needs no look-up`() throws {
        #expect(Resolver.isLiteral("127.0.0.1"))
        #expect(Resolver.isLiteral("::1"))
        #expect(!Resolver.isLiteral("localhost"))
        #expect(!Resolver.isLiteral("127.1"))
        #expect(!Resolver.isLiteral(""))
        #expect(Resolver.addresses(of: "127.0.0.1", port: 80) == .success([.loopback(port: 80)]))
        #expect(
            Resolver.addresses(of: "2001:db8::5", port: 1)
                == .success([.ipv6(high: 0x2001_0DB8_0000_0000, low: 5, port: 1, scope: 0)]))
    }

    @Test func `localhost is a loopback address`() throws {
        let addresses = try Resolver.addresses(of: "localhost", port: 7).get()
        #expect(!addresses.isEmpty)
        #expect(Set(addresses).count == addresses.count)
        let loopbacks: [SocketAddress] = [.loopback(port: 7), .ipv6(high: 0, low: 1, port: 7, scope: 0)]
        #expect(addresses.allSatisfy { loopbacks.contains($0) })
    }

    @Test func `no host means every address`() throws {
        let everywhere: [SocketAddress] = [.ipv4(0, port: 7), .ipv6(high: 0, low: 0, port: 7, scope: 0)]
        let addresses = try Resolver.addresses(of: "", port: 7).get()
        #expect(addresses.allSatisfy { everywhere.contains($0) })
    }

    @Test func `a name that does not exist is an error`() throws {
        guard case .failure(let error) = Resolver.addresses(of: "nonexistent.invalid", port: 80) else {
            Issue.record("resolved")
            return
        }
        #expect(error.host == "nonexistent.invalid")
        #expect(error.description.hasPrefix("cannot resolve nonexistent.invalid: "))
        #expect(!error.reason.isEmpty)
    }

    @Test func `questions are answered in the order asked`() throws {
        let resolver = try Resolver(threads: 1)
        let heard = Mutex<[Result<[SocketAddress], ResolveError>]>([])
        let doorbell = try Doorbell()
        // Asked before the thread runs, and after.
        resolver.resolve(host: "127.0.0.1", port: 1) { answer in
            heard.withLock { $0.append(answer) }
        }
        try resolver.start()
        resolver.resolve(host: "127.0.0.2", port: 2) { answer in
            heard.withLock { $0.append(answer) }
            doorbell.ring()
        }
        doorbell.wait()
        #expect(heard.withLock { $0 } == [.success([.loopback(port: 1)]), .success([.ipv4(0x7F00_0002, port: 2)])])
        resolver.stop()
    }

    /// A name takes many seconds if its server does not answer.
    @Test func `a slow name does not delay another`() throws {
        let isAsked = try Doorbell()
        let isAnswered = try Doorbell()
        let goesOn = try Doorbell()
        let slowIsAnswered = try Doorbell()
        let resolver = try Resolver(threads: 2) { host, port in
            if host == "slow" {
                isAsked.ring()
                goesOn.wait()
            }
            return .success([.loopback(port: port)])
        }
        try resolver.start()
        resolver.resolve(host: "slow", port: 1) { _ in slowIsAnswered.ring() }
        isAsked.wait()
        resolver.resolve(host: "quick", port: 2) { _ in isAnswered.ring() }
        isAnswered.wait()
        goesOn.ring()
        slowIsAnswered.wait()
        resolver.stop()
    }
}
