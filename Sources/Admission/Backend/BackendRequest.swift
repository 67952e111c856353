public import Configuration
internal import HTTP1
internal import WebSocketProtocol

/// The opening handshake to a WebSocket endpoint (RFC 6455 section 4.1). It is written afresh: only fields that are chosen are passed
/// on.
public enum BackendRequest {
    /// - Parameters:
    ///   - host: the backend's `host`.
    ///   - key: our own `Sec-WebSocket-Key`.
    ///   - sessionID: for `X-Request-Id`, unless a trusted proxy has named the request.
    ///   - cookie: the name of the gateway's own cookie (`PlacementRule.ownCookie`), which the endpoint does not get.
    public static func bytes(
        for admitted: Admitted, to endpoint: WebSocketEndpoint, host: HostHeader, key: String, sessionID: String,
        without cookie: String?
    ) -> [UInt8] {
        self.head(for: admitted, to: endpoint, host: host, key: key, sessionID: sessionID, without: cookie).bytes
    }

    static func head(
        for admitted: Admitted, to endpoint: WebSocketEndpoint, host: HostHeader, key: String, sessionID: String,
        without cookie: String? = nil
    ) -> RequestHead {
        var fields = HTTPFields()
        fields.reserveCapacity(fields: 16, bytes: 768)
        fields.append("Host", self.host(host, admitted, endpoint))
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
        if let origin = admitted.origin { fields.append("Origin", origin) }
        fields.append(admitted.forwarded.fields)
        fields.append("X-Request-Id", admitted.requestID ?? sessionID)
        let isTrusted = admitted.forwarded.isFromTrustedProxy
        let sent = cookie.map { admitted.fields.removing(cookie: $0) } ?? admitted.fields
        FieldFilter.append(request: sent, isFromTrustedProxy: isTrusted, to: &fields)
        return RequestHead(method: "GET", target: self.target(admitted.target, endpoint), fields: fields)
    }

    private static func host(_ policy: HostHeader, _ admitted: Admitted, _ endpoint: WebSocketEndpoint) -> String {
        switch policy {
        case .pass: admitted.host
        case .endpoint: endpoint.authority
        case .name(let name): name
        }
    }

    /// An endpoint URL without a path gets the client's path and query; one with a path keeps it and gets the query.
    private static func target(_ client: RequestTarget, _ endpoint: WebSocketEndpoint) -> String {
        guard let path = endpoint.path else { return client.original }
        return client.query.map { "\(path)?\($0)" } ?? path
    }
}
