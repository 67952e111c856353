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
    public static func bytes(
        for admitted: Admitted, to endpoint: WebSocketEndpoint, host: HostHeader, key: String, sessionID: String
    ) -> [UInt8] {
        self.head(for: admitted, to: endpoint, host: host, key: key, sessionID: sessionID).bytes
    }

    static func head(
        for admitted: Admitted, to endpoint: WebSocketEndpoint, host: HostHeader, key: String, sessionID: String
    ) -> RequestHead {
        var fields = HTTPFields()
        fields.reserveCapacity(fields: 16, bytes: 768)
        fields.append("Host", self.host(host, admitted.host, endpoint))
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
        FieldFilter.append(request: admitted.fields, isFromTrustedProxy: isTrusted, to: &fields)
        return RequestHead(method: "GET", target: self.target(admitted.target, endpoint), fields: fields)
    }

    /// - Parameter client: the client's Host.
    static func host(_ policy: HostHeader, _ client: String, _ endpoint: WebSocketEndpoint) -> String {
        switch policy {
        case .pass: client
        case .endpoint: endpoint.authority
        case .name(let name): name
        }
    }

    /// An endpoint URL without a path gets the client's path and query; one with a path keeps it and gets the query.
    static func target(_ client: RequestTarget, _ endpoint: WebSocketEndpoint) -> String {
        guard let path = endpoint.path else { return client.original }
        return client.query.map { "\(path)?\($0)" } ?? path
    }
}
