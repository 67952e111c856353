package import HTTP1
package import WebSocketProtocol

/// A request that may become a session: everything the later phases need of its head.
package struct Admitted: Equatable, Sendable {
    package var routeIndex: Int
    /// `Sec-WebSocket-Key`, which the 101 answers.
    package var key: String
    package var target: RequestTarget
    /// The Host field as sent, without an empty port.
    package var host: String
    package var origin: String?
    /// What the client offered, in its order.
    package var offeredSubprotocols: [String]
    /// What a relay offers its backend: those the route allows, in the route's order.
    package var subprotocols: [String]
    /// The subprotocol that a bridge or built-in service picks.
    package var subprotocol: String?
    package var requiresSubprotocol: Bool
    /// The client's `permessage-deflate` offers, none on a route with `compression: off`. Other extensions
    /// are not passed on.
    package var compressionOffers: [ExtensionElement]
    package var forwarded: ForwardedHeaders
    /// What a trusted proxy calls the request.
    package var requestID: String?
    /// All fields of the request, as sent.
    package var fields: HTTPFields
}
