/// The mappings of `gateway.conf`, each with the keys it knows.
package enum Section: String, CaseIterable, Sendable {
    case gateway
    case names
    case log
    case admin
    case drain
    case listener
    case listenerTLS = "listener-tls"
    case certificate
    case defaults
    case timeouts
    case limits
    case heartbeat
    case route
    case backend
    case backendTimeouts = "backend-timeouts"
    case backendLimits = "backend-limits"
    case backendTLS = "backend-tls"
    case health
    case eject
    case rebalance
    case websocketEndpoint = "websocket-endpoint"
    case tcpEndpoint = "tcp-endpoint"

    /// The keys that work, in the order in which documentation shows them.
    package var keys: [String] {
        switch self {
        case .gateway:
            [
                "workers", "memory", "names", "admin", "log", "drain", "trusted-proxies", "listeners", "defaults",
                "routes",
                "backends",
            ]
        case .names: ["refresh"]
        case .log: ["format", "level", "file"]
        case .admin: ["address", "hosts", "mode", "group"]
        case .drain: ["delay", "over", "rate"]
        case .listener: ["address", "mode", "group", "tls"]
        case .listenerTLS: ["self-signed", "certificates", "minimum", "client-ca"]
        case .certificate: ["chain", "key"]
        case .defaults:
            ["origins", "require-origin", "compression", "utf8", "close-codes", "timeouts", "limits", "heartbeat"]
        case .timeouts: ["handshake", "connect", "close", "idle", "session"]
        case .limits: ["message", "backend-message", "fragments", "backend-fragments", "queue", "compression"]
        case .heartbeat: ["interval", "timeout"]
        case .route:
            [
                "name", "path", "encoded-slashes", "hosts", "origins", "require-origin", "subprotocols",
                "require-subprotocol", "compression", "utf8", "close-codes", "timeouts", "limits", "heartbeat",
                "backend", "page",
            ]
        case .backend:
            [
                "builtin", "every", "websocket", "tcp", "message", "tls", "host", "source", "balance", "health",
                "eject", "slow-start", "rebalance", "timeouts", "limits", "heartbeat",
            ]
        case .backendTimeouts: ["connect"]
        case .backendLimits: ["backend-message", "backend-fragments"]
        case .backendTLS: ["ca", "server-name", "verify"]
        case .health: ["check", "interval", "timeout", "rise", "fall", "path", "host", "subprotocol", "status"]
        case .eject: ["failures", "for"]
        case .rebalance: ["rate"]
        case .websocketEndpoint: ["url", "weight", "backup"]
        case .tcpEndpoint: ["address", "weight", "backup"]
        }
    }

    /// Keys of the contract whose time has not come, each with the values that ask for nothing new.
    var laterKeys: [String: LaterKey] {
        switch self {
        case .listener: ["proxy-protocol": .off]
        case .limits:
            ["sessions": .off, "sessions-per-address": .off, "messages-per-second": .off, "bytes-per-second": .off]
        case .route: ["auth": .off]
        case .backend: ["send-proxy-protocol": .off, "slow-consumer": .present("close")]
        case .gateway, .names, .log, .admin, .drain, .listenerTLS, .certificate, .defaults, .timeouts, .heartbeat,
            .backendTimeouts, .backendLimits, .backendTLS, .health, .eject, .rebalance, .websocketEndpoint,
            .tcpEndpoint:
            [:]
        }
    }
}

/// What a key that is not yet supported may say all the same.
enum LaterKey: Equatable {
    /// That it is off: `off`, `0`, `0s`, `false` or `[]`.
    case off
    /// The word for what is done today.
    case present(String)

    /// Whether a value asks for nothing that is missing.
    func accepts(_ content: DocumentNode.Content) -> Bool {
        switch (self, content) {
        // A mistake that is reported already.
        case (_, .invalid): true
        case (.off, .scalar(let text)): ["off", "0", "0s", "false"].contains(text)
        case (.off, .list(let nodes)): nodes.isEmpty
        case (.present(let word), .scalar(let text)): text == word
        case (.off, .empty), (.off, .mapping), (.present, .empty), (.present, .list), (.present, .mapping): false
        }
    }
}
