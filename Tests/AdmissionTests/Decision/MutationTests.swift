import Configuration
import HTTP1
import TestSupport
import Testing
import WebSocketProtocol

@testable import Admission

/// Heads with random damage: whatever comes of them, nothing traps, and what is admitted makes a request that is sound.
@Suite struct MutationTests {
    /// A repeatable source of damage.
    private struct Damage {
        var random: SeededGenerator

        init(seed: UInt64) { self.random = SeededGenerator(seed: seed) }

        mutating func apply(to text: String) -> [UInt8] {
            let odd = Array("\0\t\n\r #%,./:;=\\\"@[]\u{7F}é0Aa".utf8)
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 0...3, using: &self.random) {
                let index = Int.random(in: 0..<bytes.count, using: &self.random)
                switch Int.random(in: 0..<4, using: &self.random) {
                case 0: bytes[index] = odd.randomElement(using: &self.random)!
                case 1: bytes.insert(odd.randomElement(using: &self.random)!, at: index)
                case 2: bytes.remove(at: index)
                default: bytes.insert(contentsOf: bytes[index...].prefix(20), at: index)
                }
            }
            return bytes
        }
    }

    @Test func `a damaged request is refused or still sound`() {
        let good = RequestHead(
            method: "GET", target: "/relay/%41?a=b",
            fields: upgradeFields([
                "Sec-WebSocket-Protocol": "a, b",
                "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=9",
                "X-Forwarded-For": "1.2.3.4", "Cookie": "a=b",
            ]))
        let text = String(decoding: good.bytes, as: UTF8.self)
        var configuration = sampleConfiguration()
        configuration.routes = [route(.subtree("/"), .backend("chat")) { $0.origins = .any }]
        let routes = RouteTable(configuration)
        let endpoint = WebSocketEndpoint(
            address: .tcp(host: "127.0.0.1", port: 3000), tls: false, authority: "127.0.0.1:3000", path: .client)
        var damage = Damage(seed: 1)
        var admissions = 0
        for _ in 0..<3000 {
            var parser = RequestHeadParser()
            guard case .head(let head, _) = parser.parse(damage.apply(to: text).span),
                let admitted = Admission.decide(head, Hops(head.fields, directArrival), routes).admitted
            else { continue }
            admissions += 1
            let sent = BackendRequest.head(for: admitted, to: endpoint, host: .pass, key: "k", sessionID: "s")
            var second = RequestHeadParser()
            #expect(second.parse(sent.bytes.span) == .head(sent, length: sent.bytes.count))
            #expect(sent.fields.values("Host").count == 1)
            #expect(sent.fields.values("X-Forwarded-For") == ["192.0.2.1"])
            #expect(sent.fields.first("Transfer-Encoding") == nil)
        }
        #expect(admissions > 300)
    }

    @Test func `a damaged answer is an upgrade only with the right Sec-WebSocket-Accept`() {
        let good = """
            HTTP/1.1 101 Switching Protocols\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
            Sec-WebSocket-Protocol: a\r
            Set-Cookie: a=b\r
            \r\n
            """
        var damage = Damage(seed: 2)
        var upgrades = 0
        for _ in 0..<3000 {
            let bytes = damage.apply(to: good)
            var handshake = BackendHandshake(key: "dGhlIHNhbXBsZSBub25jZQ==", offeredSubprotocols: ["a"])
            guard case .accepted(let accepted) = handshake.received(bytes.span) else { continue }
            upgrades += 1
            #expect(accepted.length <= bytes.count)
            #expect(text(bytes).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
            #expect(accepted.subprotocol == nil || accepted.subprotocol == "a")
        }
        #expect(upgrades > 300)
    }
}
