import System
import Testing
import WebSocketProtocol

@testable import Observability
@testable import Sessions

@Suite struct WorkerMetricsTests {
    private func tally(_ text: UInt64, _ binary: UInt64, _ bytes: UInt64) -> MessageTally {
        var tally = MessageTally()
        tally.text = text
        tally.binary = binary
        tally.payloadBytes = bytes
        return tally
    }

    /// The samples of a family, as `label=value,… number`.
    private func samples(_ name: String, _ families: [MetricFamily]) -> [String] {
        families.filter { $0.name == name }.flatMap(\.samples).map { sample in
            let labels = sample.labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
            return if case .number(let number) = sample.value { "\(labels) \(number)" } else { "\(labels) histogram" }
        }
    }

    @Test func `the counts of all workers are added up`() throws {
        let workers = [WorkerMetrics(), WorkerMetrics()]
        for worker in workers {
            worker.accepted(listener: "127.0.0.1:80")
            worker.tlsHandshake(version: "TLSv1.3", resumed: true)
            for _ in 0..<2 { worker.sessionOpened(route: "/a", backend: "x", handshake: .milliseconds(20)) }
            worker.sessionEnded(
                route: "/a", backend: "x", cause: .clientClosed, code: CloseCode(rawValue: 3005), lasted: .seconds(2),
                tally: PerLeg(client: self.tally(1, 2, 30), backend: self.tally(4, 5, 60)))
            worker.pingAnswered(.client, .milliseconds(3))
            worker.handshakeWaited(.milliseconds(7))
        }
        workers[0].sessionEnded(
            route: "/a", backend: "x", cause: .clientGone, code: nil, lasted: .seconds(2),
            tally: PerLeg(client: self.tally(0, 0, 1), backend: MessageTally()))
        workers[1].refused(route: nil, status: 404)
        workers[1].refused(route: "/a", status: 403)
        workers[1].abandoned(route: nil)
        workers[1].tlsHandshake(version: "TLSv1.2", resumed: false)

        var all = MetricsSnapshot([(name: "/a", backend: "x"), (name: "/b", backend: "y")])
        for worker in workers {
            var counts = worker.counts
            counts.memory = [.queued: 5, .assembled: 7]
            counts.handshakesWaiting = 3
            all.add(counts)
        }
        let families = all.families(
            control: MetricsSnapshot.Control(), others: [], droppedLines: 0, version: "", usage: .now())
        #expect(
            self.samples("gateway_memory_bytes", families) == [
                "kind=queued \(5.0 * Double(workers.count))", "kind=assembled \(7.0 * Double(workers.count))",
                "kind=mailbox 0.0",
            ])
        #expect(
            self.samples("gateway_sessions_open", families) == [
                "route=/a,backend=x 1.0", "route=/b,backend=y 0.0",
            ])
        #expect(
            self.samples("gateway_sessions_total", families) == [
                "route=/a,backend=x 4.0", "route=/b,backend=y 0.0",
            ])
        #expect(
            self.samples("gateway_handshakes_total", families) == [
                "route=-,result=404 1.0", "route=-,result=abandoned 1.0", "route=/a,result=403 1.0",
                "route=/a,result=accepted 4.0", "route=/b,result=accepted 0.0",
            ])
        #expect(
            self.samples("gateway_closes_total", families) == [
                "route=/a,cause=client-closed,code=3xxx 2.0", "route=/a,cause=client-gone,code=none 1.0",
            ])
        #expect(
            self.samples("gateway_messages_total", families) == [
                "route=/a,direction=to-backend,type=text 2.0", "route=/a,direction=to-backend,type=binary 4.0",
                "route=/a,direction=to-client,type=text 8.0", "route=/a,direction=to-client,type=binary 10.0",
                "route=/b,direction=to-backend,type=text 0.0", "route=/b,direction=to-backend,type=binary 0.0",
                "route=/b,direction=to-client,type=text 0.0", "route=/b,direction=to-client,type=binary 0.0",
            ])
        #expect(
            self.samples("gateway_payload_bytes_total", families) == [
                "route=/a,direction=to-backend 61.0", "route=/a,direction=to-client 120.0",
                "route=/b,direction=to-backend 0.0", "route=/b,direction=to-client 0.0",
            ])
        #expect(self.samples("gateway_connections_total", families) == ["listener=127.0.0.1:80 2.0"])
        #expect(
            self.samples("gateway_tls_handshakes_total", families) == [
                "version=TLSv1.2,resumed=false 1.0", "version=TLSv1.3,resumed=true 2.0",
            ])
        #expect(
            self.samples("gateway_ping_rtt_seconds", families) == ["side=client histogram", "side=backend histogram"])
        #expect(self.samples("gateway_handshakes_waiting", families) == [" 6.0"])
        var waits = Histogram.ofHandshakes
        for _ in 0..<2 { waits.observe(.milliseconds(7)) }
        #expect(families.first { $0.name == "gateway_handshake_wait_seconds" }?.samples[0].value == waits.value)
        var pings = Histogram.ofPings
        for _ in 0..<2 { pings.observe(.milliseconds(3)) }
        #expect(families.first { $0.name == "gateway_ping_rtt_seconds" }?.samples[0].value == pings.value)
    }
}
