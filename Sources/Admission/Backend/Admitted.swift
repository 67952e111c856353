public import HTTP1
public import WebSocketProtocol

/// A request that may become a session: everything the later phases need of its head.
public struct Admitted: Equatable, Sendable {
    let request: CheckedRequest
    /// Points into `GatewayConfiguration.routes`.
    public let routeIndex: Int
    /// `Sec-WebSocket-Key`, which the 101 answers.
    public let key: String
    /// What the client offered, in its order.
    public let offeredSubprotocols: [String]
    /// What a relay offers its backend: those the route allows, in the route's order.
    public let subprotocols: [String]
    /// The subprotocol that a bridge or built-in service picks.
    public let subprotocol: String?
    /// The route's `require-subprotocol`: without a common subprotocol there is no session.
    public let requiresSubprotocol: Bool
    /// The client's `permessage-deflate` offers, none on a route with `compression: off`. Other extensions
    /// are not passed on.
    public let compressionOffers: [ExtensionElement]
    /// What names its endpoint, where the backend has `tokens`. It is a secret.
    public let token: String?
    /// What its credential gives to the backend.
    var grantedFields = HTTPFields()

    init(
        _ request: CheckedRequest, routeIndex: Int, key: String, offeredSubprotocols: [String],
        subprotocols: [String], subprotocol: String?, requiresSubprotocol: Bool, compressionOffers: [ExtensionElement],
        token: String?
    ) {
        self.request = request
        self.routeIndex = routeIndex
        self.key = key
        self.offeredSubprotocols = offeredSubprotocols
        self.subprotocols = subprotocols
        self.subprotocol = subprotocol
        self.requiresSubprotocol = requiresSubprotocol
        self.compressionOffers = compressionOffers
        self.token = token
    }

    /// The head, without tokens.
    public var head: RequestHead { self.request.head }

    /// What the client is answered if its backend picks no subprotocol; `nil`: none.
    public var announcement: String? { self.request.announcement }

    /// Path and query, normalised and as sent.
    public var target: RequestTarget { self.request.target }

    /// The client came by https, to us or to a trusted proxy.
    public var isSecure: Bool { self.request.forwarded.isSecure }

    /// The endpoint that the request asks for.
    ///
    /// - Parameter client: the client's address, as text.
    public func placement(by rule: PlacementRule, client: String) -> Placement {
        rule.placement(self.request.head.fields, self.target, client: client)
    }
}
