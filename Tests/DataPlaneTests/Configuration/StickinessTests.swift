import Admission
import Balancing
import Configuration
import System
import TLS
import Testing

@testable import DataPlane

/// Clients that come back to their endpoints: backend, cookie and choice together.
@Suite struct StickinessTests {
    private static let ports: [UInt16] = [3000, 3001, 3002, 3003]

    private static func configuration(
        _ balance: Balance, ports: [UInt16] = Self.ports, key: String? = nil
    ) -> GatewayConfiguration {
        let endpoints = ports.map { port in
            WebSocketEndpoint(
                address: .tcp(host: "127.0.0.1", port: port), tls: false, authority: "127.0.0.1:\(port)", path: .client)
        }
        var backend = BackendSettings(name: "app", kind: .websocket(endpoints))
        backend.balance = balance
        backend.cookie.key = key
        var configuration = GatewayConfiguration()
        configuration.backends[backend.name] = backend
        return configuration
    }

    /// One gateway's worker, perhaps after a reload.
    private static func worker(
        _ configuration: GatewayConfiguration, replacing previous: WorkerConfiguration? = nil
    ) throws -> WorkerConfiguration {
        let active = try ActiveConfiguration(configuration, replacing: previous?.shared)
        return try WorkerConfiguration(active, io: TLSIO(), replacing: previous)
    }

    /// What the cookie of the endpoint at `place` is set to.
    private static func value(_ worker: WorkerConfiguration, _ place: Int) throws -> String {
        let backend = try #require(worker.shared.backend(named: "app"))
        let cookie = try #require(backend.placing.setCookie(from: place, after: .any, isSecure: false))
        return String(try #require(cookie.split(separator: ";").first?.split(separator: "=").last))
    }

    @Test func `the value is a hash of the endpoint as it is configured, or with a key an HMAC`() throws {
        let plain = try Self.worker(Self.configuration(.cookie))
        #expect(try Self.value(plain, 0) == "a558771623f29898")
        #expect(try Self.value(plain, 1) == "fb953206d19dbf34")
        let keyed = try Self.worker(Self.configuration(.cookie, key: "s3cret"))
        #expect(try Self.value(keyed, 0) == "224233dbe6bd0bcd")
        #expect(try Self.value(keyed, 1) == "2e3f956287183689")
    }

    @Test func `the value survives a reload in which the endpoints move`() throws {
        let before = try Self.worker(Self.configuration(.cookie))
        let values = try Self.ports.indices.map { try Self.value(before, $0) }
        let after = try Self.worker(Self.configuration(.cookie, ports: [3005, 3003, 3001, 3000]), replacing: before)
        #expect(
            try [Self.value(after, 3), Self.value(after, 2), Self.value(after, 1)] == [values[0], values[1], values[3]])
    }

    /// The ports of the endpoints for what clients ask for.
    private static func ports(_ worker: WorkerConfiguration, _ placements: [Placement]) throws -> [String?] {
        let backend = try #require(worker.shared.backend(named: "app"))
        return placements.map { placement in
            worker.chooseEndpoint(of: backend, except: [], for: placement, now: .now()).map { $0.name }
        }
    }

    @Test func `only the clients of an endpoint that leaves move`() throws {
        for balance in [Balance.hashQuery("room"), .hashPath] {
            let before = try Self.worker(Self.configuration(balance))
            let after = try Self.worker(Self.configuration(balance, ports: [3000, 3001, 3003]), replacing: before)
            let placements = (0..<1000).map { Placement.value("room-\($0)") }
            let (old, new) = try (Self.ports(before, placements), Self.ports(after, placements))
            let moved = zip(old, new).filter { $0 != $1 }
            #expect(moved.allSatisfy { $0.0 == "ws://127.0.0.1:3002" })
            #expect(moved.count == old.count { $0 == "ws://127.0.0.1:3002" })
            #expect((150...350).contains(moved.count))
        }
    }

    @Test func `a client that asks for an endpoint that is down takes its turn`() throws {
        let worker = try Self.worker(Self.configuration(.cookie))
        let backend = try #require(worker.shared.backend(named: "app"))
        backend.endpoints[2].publish(.down, at: .now())
        let others = try Self.ports(worker, Array(repeating: .endpoint(2), count: 6))
        #expect(others == [3000, 3001, 3003, 3000, 3001, 3003].map { "ws://127.0.0.1:\($0)" })
        #expect(
            try Self.ports(worker, [.endpoint(1), .endpoint(1), .endpoint(3)])
                == [3001, 3001, 3003].map { "ws://127.0.0.1:\($0)" })
        backend.endpoints[2].publish(.up, at: .now())
        #expect(try Self.ports(worker, [.endpoint(2)]) == ["ws://127.0.0.1:3002"])
    }

    @Test func `a client without a value takes its turn`() throws {
        let worker = try Self.worker(Self.configuration(.hashCookie("sid")))
        #expect(try Self.ports(worker, [.any, .any, .any, .any]) == Self.ports.map { "ws://127.0.0.1:\($0)" })
    }

    @Test func `an endpoint that could not be connected to is not asked for again`() throws {
        let worker = try Self.worker(Self.configuration(.cookie))
        let backend = try #require(worker.shared.backend(named: "app"))
        let tried = [backend.endpoints[1]]
        let next = worker.chooseEndpoint(of: backend, except: tried, for: .endpoint(1), now: .now())
        #expect(next?.name == "ws://127.0.0.1:3000")
    }
}
