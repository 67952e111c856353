package import Configuration
package import HTTP1
package import WebSocketProtocol

/// A request that may become a session: everything the later phases need of its head.
package struct Admitted: Equatable, Sendable {
    package var routeIndex: Int
    /// `Sec-WebSocket-Key`, which the 101 answers.
    package var key: String
    package var target: RequestTarget
    /// The Host field as sent, but for an empty port.
    package var host: String
    package var origin: String?
    /// What the client offered, in its order.
    package var offeredSubprotocols: [String]
    /// What a relay offers its backend: those the route allows, in the route's order.
    package var subprotocols: [String]
    /// What a bridge or built-in service answers.
    package var subprotocol: String?
    package var requiresSubprotocol: Bool
    /// The client's `permessage-deflate` offers, none where the route has `compression: off`; other extensions are not
    /// passed on.
    package var compressionOffers: [ExtensionOffer]
    package var forwarded: ForwardedHeaders
    /// What a trusted proxy calls the request.
    package var requestID: String?
    /// All fields of the request, as sent.
    package var fields: HTTPFields

    /// Normalised; what routes and broadcast rooms are matched by.
    package var path: String { self.target.path }
    /// The client's address for logs and limits; `nil` on a Unix socket.
    package var client: IPAddress? { self.forwarded.client }
}

/// What a request's head leads to.
package enum Decision: Equatable, Sendable {
    case upgrade(Admitted)
    /// A page of the gateway's own, which has the route's index, asked for at a host (as `Authority.host`); `headOnly`: the request is a
    /// HEAD.
    case page(BuiltinPage, routeIndex: Int, host: String, headOnly: Bool)
    case refused(Refusal)
}
