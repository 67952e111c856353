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
        self.head(
            for: admitted, to: endpoint, on: route, host: host, key: key, sessionID: sessionID, without: cookie
        ).bytes
    }

    static func head(
        for admitted: Admitted, to endpoint: WebSocketEndpoint, on route: PathPattern = .subtree("/"), host: HostHeader,
        key: String, sessionID: String, without cookie: String? = nil
    ) -> RequestHead {
        let request = admitted.request
        var fields = HTTPFields()
        fields.reserveCapacity(fields: 16, bytes: 768)
        fields.append("Host", self.host(host, request.host, endpoint))
        fields.append(SwitchingProtocols.upgrade)
        fields.append("Sec-WebSocket-Key", key)
        fields.append("Sec-WebSocket-Version", "13")
        if !admitted.subprotocols.isEmpty {
            fields.append("Sec-WebSocket-Protocol", admitted.subprotocols.joined(separator: ", "))
        }
        if !admitted.compressionOffers.isEmpty {
            fields.append("Sec-WebSocket-Extensions", ExtensionElement.render(admitted.compressionOffers))
        }
        // Even if the client's Connection names it: to a backend a request without an Origin is not a browser's.
        if let origin = request.origin { fields.append("Origin", origin) }
        request.forwarded.append(to: &fields)
        if let prefix = endpoint.prefix(on: route) { fields.append("X-Forwarded-Prefix", prefix) }
        fields.append("X-Request-Id", request.requestID ?? sessionID)
        let isTrusted = request.forwarded.isFromTrustedProxy
        let sent = cookie.map { request.head.fields.removing(cookie: $0) } ?? request.head.fields
        FieldFilter.append(request: sent, isFromTrustedProxy: isTrusted, to: &fields)
        return RequestHead(method: "GET", target: admitted.target.asked(of: endpoint, on: route), fields: fields)
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
