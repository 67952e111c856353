public import Configuration
internal import HTTP1
internal import WebSocketProtocol

/// The opening handshake to a WebSocket endpoint (RFC 6455 section 4.1). It is written afresh: only fields that are chosen are passed
/// on.
public enum BackendRequest {
    /// - Parameters:
    ///   - route: the path of the route that the request came by.
    ///   - host: the backend's `host`.
    ///   - key: our own `Sec-WebSocket-Key`.
    ///   - sessionID: for `X-Request-Id`, unless a trusted proxy has named the request.
    ///   - cookie: the name of the gateway's own cookie (`PlacementRule.ownCookie`), which the endpoint does not get.
    public static func bytes(
        for admitted: Admitted, to endpoint: WebSocketEndpoint, on route: PathPattern, host: HostHeader, key: String,
        sessionID: String, without cookie: String?
    ) -> [UInt8] {
        let request = admitted.request
        var head = HeadWriter(request: "GET", admitted.target.asked(of: endpoint, on: route), capacity: 768)
        head.append("Host", self.host(host, request.host, endpoint))
        head.append(SwitchingProtocols.upgrade)
        head.append("Sec-WebSocket-Key", key)
        head.append("Sec-WebSocket-Version", "13")
        if !admitted.subprotocols.isEmpty {
            head.append("Sec-WebSocket-Protocol", admitted.subprotocols.joined(separator: ", "))
        }
        if !admitted.compressionOffers.isEmpty {
            head.append("Sec-WebSocket-Extensions", ExtensionElement.render(admitted.compressionOffers))
        }
        // Even if the client's Connection names it: to a backend a request without an Origin is not a browser's.
        if let origin = request.origin { head.append("Origin", origin) }
        request.forwarded.append(to: &head)
        if let prefix = endpoint.prefix(on: route) { head.append("X-Forwarded-Prefix", prefix) }
        head.append("X-Request-Id", request.requestID ?? sessionID)
        let sent = cookie.map { request.head.fields.removing(cookie: $0) } ?? request.head.fields
        let filter = FieldFilter(request: sent, isFromTrustedProxy: request.forwarded.isFromTrustedProxy)
        head.append(sent) { filter.passes($0) }
        head.append(admitted.grantedFields)
        return head.finished()
    }

    /// - Parameter client: the client's Host.
    static func host(_ policy: HostHeader, _ client: Authority?, _ endpoint: WebSocketEndpoint) -> String {
        switch policy {
        case .pass: client?.text ?? endpoint.authority
        case .endpoint: endpoint.authority
        case .name(let name): name
        }
    }
}
