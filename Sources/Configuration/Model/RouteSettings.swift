/// Host, path, Origin and subprotocol rules that lead to a backend or a page.
package struct RouteSettings: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        /// The name of a backend in `GatewayConfiguration.backends`.
        case backend(String)
        case page(Page)
    }

    package enum Page: String, CaseIterable, Sendable {
        case console
    }

    /// What becomes of a client's offer to compress.
    package enum Compression: String, CaseIterable, Sendable {
        /// It goes on to the backend; a bridge or built-in service accepts it within `limits.compression`.
        case pass
        /// It is dropped, so that all payload is plain.
        case off
    }

    /// Whether relayed text is checked to be UTF-8. A bridge and a built-in service always do.
    package enum UTF8Check: String, CaseIterable, Sendable {
        /// That is up to the backend and the client.
        case pass
        /// In both directions, as it comes; compressed text is not looked into.
        case check
    }

    /// What becomes of a `%2F` in the path of a request.
    package enum EncodedSlashes: String, CaseIterable, Sendable {
        /// The request is refused: to some servers it is a slash, and to others it is not.
        case refuse
        /// It is a part of its segment like any other, and goes on as it came.
        case keep
    }

    /// Which codes clients are sent where we close a session.
    package enum CloseCodes: String, CaseIterable, Sendable {
        /// All that are registered, 1012 (service restart) and 1013 (try again later) too.
        case registered
        /// Those of RFC 6455 itself, for client libraries that take the others for a protocol error.
        case rfc6455
    }

    /// `name`, or what stands for it in logs and metrics: the first host (if any) and the path.
    package var name: String
    package var path: PathPattern
    package var encodedSlashes = EncodedSlashes.refuse
    /// Empty: any host.
    package var hosts: [HostPattern] = []
    package var origins = OriginPolicy.sameOrigin
    package var requireOrigin = false
    /// Allowed subprotocols, best first; `nil`: whatever the backend picks.
    package var subprotocols: [String]?
    package var requireSubprotocol = false
    package var compression = Compression.pass
    package var utf8 = UTF8Check.pass
    package var closeCodes = CloseCodes.registered
    package var timeouts = Timeouts()
    package var limits = Limits()
    /// Pings to the client; `nil`: none.
    package var heartbeat: HeartbeatSettings? = HeartbeatSettings()
    /// Pings to a WebSocket backend, which may say otherwise than the defaults; `nil`: none.
    package var backendHeartbeat: HeartbeatSettings? = HeartbeatSettings()
    /// Whether `limits.message` and `limits.backend-message` were written in this very route. A bridge streams, and
    /// holds to them only then.
    package var limitsMessagesItself = false
    package var action: Action

    package init(name: String, path: PathPattern, action: Action) {
        self.name = name
        self.path = path
        self.action = action
    }
}

/// `/chat` (exact) or `/chat/*` (the subtree below it, not `/chat` itself), in the form of a `NormalPath`.
package enum PathPattern: Hashable, Sendable, CustomStringConvertible {
    case exact(String)
    /// The prefix with its closing slash: `/chat/*` is `.subtree("/chat/")`.
    case subtree(String)

    package var description: String {
        switch self {
        case .exact(let path): path
        case .subtree(let prefix): prefix + "*"
        }
    }
}

/// A host a route answers to: a name, an IP literal, or `*.example.com` (one or more labels, not the apex).
/// Lower case, without port and without trailing dot; an IP literal as `IPAddress.description` writes it, without
/// brackets.
package enum HostPattern: Hashable, Sendable, CustomStringConvertible {
    case exact(String)
    /// The domain after `*.`.
    case subdomains(of: String)

    package var description: String {
        switch self {
        case .exact(let host): host
        case .subdomains(let domain): "*." + domain
        }
    }
}

/// Which Origins (RFC 6454) may open a session.
package enum OriginPolicy: Equatable, Sendable {
    /// Scheme, host and port equal those the client asked for.
    case sameOrigin
    /// Any Origin, `null` too.
    case any
    case list([OriginPattern])
}

/// One allowed origin: `https://app.example.com`, `https://*.example.com`, `http://localhost:3000`.
package struct OriginPattern: Hashable, Sendable {
    /// Lower case.
    package var scheme: String
    package var host: HostPattern
    /// The default port of the scheme where none was written; 0 where the scheme has none either (`capacitor://localhost`).
    package var port: UInt16

    package init(scheme: String, host: HostPattern, port: UInt16) {
        self.scheme = scheme
        self.host = host
        self.port = port
    }
}
