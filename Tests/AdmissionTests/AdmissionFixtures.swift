import Configuration
import HTTP1
import Testing

@testable import Admission

/// The configuration the tests ask: one route of each kind.
func sampleConfiguration() -> GatewayConfiguration {
    var configuration = GatewayConfiguration()
    let tls = ListenerSettings.TLS(identity: .selfSigned(names: ["localhost"]))
    configuration.listeners = [
        ListenerSettings(address: .tcp(host: "127.0.0.1", port: 8080)),
        ListenerSettings(address: .tcp(host: "127.0.0.1", port: 8443), tls: tls),
    ]
    let address = Address.tcp(host: "127.0.0.1", port: 3000)
    let relay = [WebSocketEndpoint(address: address, tls: false, authority: "127.0.0.1:3000", path: .client)]
    let bridge = [TCPEndpoint(address: .tcp(host: "127.0.0.1", port: 5900))]
    for backend in [
        BackendSettings(name: "echo", kind: .builtin(.echo)),
        BackendSettings(name: "rooms", kind: .builtin(.broadcast)),
        BackendSettings(name: "clock", kind: .builtin(.clock(every: .seconds(1)))),
        BackendSettings(name: "chat", kind: .websocket(relay)),
        BackendSettings(name: "vnc", kind: .tcp(bridge, message: .binary)),
    ] {
        configuration.backends[backend.name] = backend
    }
    configuration.routes = [
        route(.exact("/"), .page(.console)),
        route(.exact("/echo"), .backend("echo")) { $0.origins = .any },
        route(.subtree("/broadcast/"), .backend("rooms")) { $0.origins = .any },
        route(.exact("/clock"), .backend("clock")) { $0.requireOrigin = true },
        route(.exact("/chat"), .backend("chat")) {
            $0.name = "chat"
            $0.hosts = [.exact("chat.example.com"), .subdomains(of: "chat.example.com")]
            $0.origins = .list([OriginPattern(scheme: "https", host: .exact("chat.example.com"), port: 443)])
            $0.subprotocols = ["chat.v2", "chat.v1"]
            $0.requireSubprotocol = true
        },
        route(.exact("/relay"), .backend("chat")),
        route(.exact("/vnc"), .backend("vnc")),
        route(.exact("/mqtt"), .backend("vnc")) { $0.requireSubprotocol = true },
    ]
    return configuration
}

func route(
    _ path: PathPattern, _ action: RouteSettings.Action, _ change: (inout RouteSettings) -> Void = { _ in }
) -> RouteSettings {
    var settings = RouteSettings(name: path.description, path: path, action: action)
    change(&settings)
    return settings
}

/// The fields of a good opening handshake for `example.com`, but for those in `without`.
func upgradeFields(_ more: HTTPFields = [:], without: [String] = []) -> HTTPFields {
    let all: HTTPFields = [
        "Host": "example.com", "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
    ]
    var fields = HTTPFields()
    for field in all where !without.contains(field.name) { fields.append(field) }
    for field in more { fields.append(field) }
    return fields
}

let directArrival = Arrival(peer: IPAddress("192.0.2.1"), listenerIsSecure: false)

/// From a proxy that is trusted.
let proxiedArrival = Arrival(
    peer: IPAddress("192.0.2.1"), listenerIsSecure: false,
    trustedProxies: TrustedProxies(networks: [IPNetwork("192.0.2.0/24")!]))

/// What the sample configuration makes of a head.
func decide(
    _ target: String, _ fields: HTTPFields = upgradeFields(), method: String = "GET", arrival: Arrival = directArrival
) -> Admission.Decision {
    let head = RequestHead(method: method, target: target, fields: fields)
    return Admission.decide(head, Hops(head.fields, arrival), RouteTable(sampleConfiguration()))
}

/// The status a decision answers with.
func status(_ decision: Admission.Decision) -> Int {
    switch decision {
    case .upgrade: 101
    case .page, .pass, .files, .events, .publish: 200
    case .answer(let answer, _, _, _): answer.status
    case .demands(_, let decision): status(decision)
    case .refused(let refusal): refusal.status
    }
}

extension Admission.Decision {
    var admitted: Admitted? {
        if case .upgrade(let admitted) = self { admitted } else { nil }
    }

    var refusal: Refusal? {
        if case .refused(let refusal) = self { refusal } else { nil }
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

// MARK: - Requests as backends read them

/// What is read of the head of a request. Nothing follows it.
func readRequest(_ bytes: [UInt8]) -> RequestHead {
    var parser = RequestHeadParser(limits: .passed)
    guard case .head(let head, length: bytes.count) = parser.parse(bytes.span) else {
        Issue.record("no request head: \(text(bytes))")
        return RequestHead(method: "", target: "")
    }
    return head
}

extension PlainRequest {
    func head(
        to endpoint: WebSocketEndpoint, on route: PathPattern = .subtree("/"), host: HostHeader, id: String,
        without cookie: String? = nil
    ) -> RequestHead {
        readRequest(self.bytes(to: endpoint, on: route, host: host, id: id, without: cookie))
    }
}

extension BackendRequest {
    static func head(
        for admitted: Admitted, to endpoint: WebSocketEndpoint, on route: PathPattern = .subtree("/"), host: HostHeader,
        key: String, sessionID: String, without cookie: String? = nil
    ) -> RequestHead {
        readRequest(
            self.bytes(
                for: admitted, to: endpoint, on: route, host: host, key: key, sessionID: sessionID, without: cookie))
    }
}
