import Configuration
import Testing

@testable import ControlPlane
@testable import DataPlane

/// What tests of heartbeats and timeouts share.
extension SessionTests {
    static func heartbeat(_ interval: Duration, _ timeout: Duration) -> HeartbeatSettings {
        var settings = HeartbeatSettings()
        settings.interval = interval
        settings.timeout = timeout
        return settings
    }

    /// Pings soon, and ends the session soon.
    static let quick = heartbeat(.milliseconds(50), .milliseconds(50))
    /// Pings soon, and does not end the session in this test.
    static let patient = heartbeat(.milliseconds(20), .seconds(60))

    /// A configuration with these heartbeats.
    static func heartbeats(
        _ backends: [BackendSettings], client: HeartbeatSettings?, backend: HeartbeatSettings? = nil,
        _ change: @escaping (inout RouteSettings) -> Void = { _ in }
    ) -> GatewayConfiguration {
        .serving(backends) {
            $0.heartbeat = client
            $0.backendHeartbeat = backend
            $0.limits.queue = .kibibytes(256)
            change(&$0)
        }
    }

    /// A relay that has been pinged once.
    func open(
        _ gateway: GatewayUnderTest, _ listener: TestListener, tls: Bool = false, receiveBuffer: Int32? = nil
    ) throws -> (client: TestPeer, server: TestPeer) {
        let client = try TestPeer.asking(
            "/relay", port: gateway.port(tls ? 1 : 0), tls: tls, receiveBuffer: receiveBuffer)
        let server = try TestPeer.server(listener)
        try client.expectUpgrade()
        return (client, server)
    }

    /// The payload of the next frame, which must be a ping of the gateway.
    func ping(_ peer: TestPeer, isMasked: Bool = false) throws -> [UInt8] {
        let frame = try peer.receive()
        #expect(frame.opcode == 9)
        #expect(frame.payload.count == 12)
        #expect(frame.isMasked == isMasked)
        return frame.payload
    }

    /// The code of the gateway's Close, behind any number of pings.
    func closeBehindPings(_ peer: TestPeer) throws -> Int {
        while true {
            let frame = try peer.receive()
            if frame.opcode == 8 { return Int(frame.payload[0]) << 8 | Int(frame.payload[1]) }
            #expect(frame.opcode == 9)
        }
    }
}
