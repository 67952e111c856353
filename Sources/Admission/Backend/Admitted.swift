internal import HTTP1
public import WebSocketProtocol

/// A request that may become a session: everything the later phases need of its head.
public struct Admitted: RoutedRequest, Equatable, Sendable {
    /// Points into `GatewayConfiguration.routes`.
    public var routeIndex: Int
    /// `Sec-WebSocket-Key`, which the 101 answers.
    public var key: String
    /// Path and query, normalised and as sent.
    public var target: RequestTarget
    /// The Host field as sent, without an empty port.
    var host: String
    var origin: String?
    /// What the client offered, in its order.
    public var offeredSubprotocols: [String]
    /// What a relay offers its backend: those the route allows, in the route's order.
    public var subprotocols: [String]
    /// The subprotocol that a bridge or built-in service picks.
    public var subprotocol: String?
    /// The route's `require-subprotocol`: without a common subprotocol there is no session.
    public var requiresSubprotocol: Bool
    /// The client's `permessage-deflate` offers, none on a route with `compression: off`. Other extensions
    /// are not passed on.
    public var compressionOffers: [ExtensionElement]
    var forwarded: ForwardedHeaders
    /// What a trusted proxy calls the request.
    var requestID: String?
    /// All fields of the request, as sent.
    var fields: HTTPFields

    /// The client came by https, to us or to a trusted proxy.
    public var isSecure: Bool { self.forwarded.isSecure }

    /// The endpoint that the request asks for.
    ///
    /// - Parameter client: the client's address, as text.
    public func placement(by rule: PlacementRule, client: String) -> Placement {
        rule.placement(self.fields, self.target, client: client)
    }
}
