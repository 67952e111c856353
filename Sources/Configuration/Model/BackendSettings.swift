/// A named group of endpoints, or a built-in service.
package struct BackendSettings: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case builtin(BuiltinService)
        /// WebSocket endpoints, which are relayed to. Never empty.
        case websocket([WebSocketEndpoint])
        /// TCP, TLS or Unix endpoints, which are bridged to. Never empty.
        case tcp([TCPEndpoint], message: BridgeMessage)
    }

    package var name: String
    package var kind: Kind
    /// `tls:` towards `wss://` and `tls://` endpoints.
    package var tls = EndpointTLS()
    package var host = HostHeader.pass
    /// The local address connections come from; `nil`: the system's choice.
    package var source: IPAddress?
    package var balance = Balance.roundRobin

    package init(name: String, kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

package enum BuiltinService: Equatable, Sendable {
    case echo
    case broadcast
    /// Sends the time as a text message at each `every`.
    case clock(every: Duration)
}

/// What a bridge makes of the bytes of a TCP server.
package enum BridgeMessage: String, CaseIterable, Sendable {
    case binary
    case text
}

package enum Balance: String, CaseIterable, Sendable {
    case roundRobin = "round-robin"
}

/// The Host field a WebSocket backend sees.
package enum HostHeader: Equatable, Sendable {
    /// The client's.
    case pass
    /// The authority of the endpoint's URL.
    case endpoint
    case name(String)
}

/// `ws://127.0.0.1:3000`, `wss://10.0.0.2:3001/chat`.
package struct WebSocketEndpoint: Equatable, Sendable {
    package var address: Address
    package var tls: Bool
    /// What stands between scheme and path in the URL, as written: the Host where `host: endpoint`.
    package var authority: String
    /// The URL's path; `nil` where it has none: the client's path and query are passed on.
    package var path: String?

    package init(address: Address, tls: Bool, authority: String, path: String?) {
        self.address = address
        self.tls = tls
        self.authority = authority
        self.path = path
    }

    /// The URL, as logs and `explain` show it.
    package var description: String { "\(self.tls ? "wss" : "ws")://\(self.authority)\(self.path ?? "")" }
}

/// `127.0.0.1:5900`, `tls://broker:8883`, `unix:/run/vnc.sock`.
package struct TCPEndpoint: Equatable, Sendable {
    package var address: Address
    package var tls: Bool

    package init(address: Address, tls: Bool = false) {
        self.address = address
        self.tls = tls
    }

    /// The endpoint, as logs and `explain` show it.
    package var description: String { (self.tls ? "tls://" : "") + self.address.description }
}

/// `tls:` of a backend.
package struct EndpointTLS: Equatable, Sendable {
    /// A PEM file of authorities; `nil`: the system's.
    package var ca: String?
    /// The name for SNI and verification; `nil`: the endpoint's host.
    package var serverName: String?
    package var verify = true

    package init() {}
}
