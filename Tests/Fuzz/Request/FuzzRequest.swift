import Configuration
import Fuzzing
import HTTP1
import WebSocketProtocol

@testable import Admission

/// Request heads give the same result whole or in pieces. No decision traps, and an admitted request makes a valid one for the backend.
@main
enum FuzzRequest {
    static func main() {
        let configuration = self.configuration()
        let routes = RouteTable(configuration)
        let client = IPAddress("192.0.2.1")
        let arrivals = [
            Arrival(peer: client, listenerIsSecure: false),
            Arrival(peer: client, listenerIsSecure: true),
            Arrival(peer: client, listenerIsSecure: false, trustedProxies: configuration.trustedProxies),
        ]
        let address = Address.tcp(host: "127.0.0.1", port: 3000)
        let endpoints = [WebSocketEndpoint.Path.client, .fixed("/other"), .below("/base/")].map {
            WebSocketEndpoint(address: address, tls: false, authority: "127.0.0.1:3000", path: $0)
        }
        fuzz { bytes in
            var choices = Choices(bytes)
            let arrival = choices.pick(arrivals)
            let endpoint = choices.pick(endpoints)
            let sizes = choices.bytes(2)
            let input = choices.rest()

            var parser = RequestHeadParser(takesHTTP10: true)
            let whole = parser.parse(input.span)
            expect(self.parse(input, sizes) == whole, "a head depends on the pieces")
            guard case .head(let head, let length) = whole else { return }
            expect(length <= input.count, "a head longer than what came")

            switch Admission.decide(head, Hops(head.fields, arrival), routes) {
            case .page, .pass, .files, .demands: break
            case .answer(let answer, _, let headOnly, _):
                var second = ResponseHeadParser()
                let sent = answer.bytes(forHead: headOnly, date: "now")
                guard case .head(let read, _) = second.parse(sent.span) else {
                    expect(false, "an answer that cannot be read")
                    return
                }
                let location = read.fields.values("Location")
                expect(location.count == 1 && location[0].hasPrefix("https://"), "sent to \(location)")
            case .refused(let refusal): expect((400..<600).contains(refusal.status), "refused with \(refusal.status)")
            case .upgrade(let admitted):
                let bytes = BackendRequest.bytes(
                    for: admitted, to: endpoint, on: .subtree("/"), host: .pass, key: "k", sessionID: "s", without: nil)
                var second = RequestHeadParser(limits: HeadLimits(bytes: .max, fields: .max))
                guard case .head(let sent, length: bytes.count) = second.parse(bytes.span) else {
                    expect(false, "a request to a backend that cannot be read")
                    return
                }
                let once = [
                    "Host", "Sec-WebSocket-Key", "Upgrade", "Connection", "X-Request-Id", "X-Forwarded-For",
                    "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP",
                ]
                for name in once {
                    expect(sent.fields.values(name).count == 1, "not one \(name) to the backend")
                }
                for name in ["Transfer-Encoding", "Content-Length", "TE", "Trailer"] {
                    expect(sent.fields.first(name) == nil, "\(name) to the backend")
                }
            }
        }
    }

    private static func parse(_ input: [UInt8], _ sizes: [UInt8]) -> HeadProgress<RequestHead> {
        var parser = RequestHeadParser(takesHTTP10: true)
        var received: [UInt8] = []
        for piece in Choices.pieces(of: input, sizes: sizes) {
            received += piece
            let progress = parser.parse(received.span)
            if progress != .incomplete { return progress }
        }
        return .incomplete
    }

    /// Routes of every kind.
    private static func configuration() -> GatewayConfiguration {
        let text = """
            trusted-proxies: [192.0.2.0/24]
            listeners: [{address: "127.0.0.1:0"}]
            routes:
              - {path: /, page: console}
              - {path: /echo, backend: echo, origins: any}
              - path: /chat
                hosts: [chat.example.com, "*.chat.example.com"]
                origins: [https://chat.example.com, "https://*.example.com"]
                subprotocols: [chat.v2, chat.v1]
                require-subprotocol: true
                backend: relay
              - {path: /clock, backend: echo, require-origin: true}
              - {path: /*, scheme: https, redirect: "https://new.example.com"}
              - {path: /old/*, redirect: https, scheme: http}
              - {path: /docs/*, backend: relay, encoded-slashes: keep}
              - {path: /*, backend: relay, http: pass}
            backends:
              echo: {builtin: echo}
              relay: {websocket: ["ws://127.0.0.1:3000"]}
            """
        do {
            return try ConfigurationReader.read(text: text, file: "fuzz", environment: [:])
        } catch {
            fatalError(error.description)
        }
    }
}
