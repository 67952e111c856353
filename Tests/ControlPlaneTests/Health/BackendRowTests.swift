import Observability
import Testing

@testable import ControlPlane

@Suite struct BackendRowTests {
    @Test func `an endpoint's sessions are a sample each`() {
        let endpoints = ["up", "down", "draining"].map {
            BackendRow.EndpointRow(
                name: $0, state: $0, reason: nil, since: .zero, sessions: 2, weight: 1, isBackup: false,
                isChecked: true)
        }
        let backend = BackendRow(name: "b", kind: "websocket", sessions: 6, endpoints: endpoints)
        #expect(
            [backend].families == [
                MetricFamily(
                    "gateway_backend_sessions", .gauge, help: "Sessions of an endpoint.",
                    samples: ["up", "down", "draining"].map {
                        .init([.init("backend", "b"), .init("endpoint", $0)], .number(2))
                    })
            ])
    }
}
