internal import Configuration
internal import HTTP1
internal import WebSocketProtocol

/// Our own request to a WebSocket backend (RFC 6455 section 4.1): built anew, with what the client said that the backend should
/// know.
enum BackendRequest {
    /// - Parameters:
    ///   - key: our own Sec-WebSocket-Key.
    ///   - sessionID: becomes X-Request-Id.
    static func bytes(
        _ admitted: Admitted, endpoint: WebSocketEndpoint, host: HostHeader, key: String, sessionID: String
    ) -> [UInt8] {
        var text = "GET \(self.target(admitted.target, endpoint)) HTTP/1.1\r\n"
        func add(_ name: String, _ value: String) { text += "\(name): \(value)\r\n" }
        switch host {
        case .pass: add("Host", admitted.host)
        case .endpoint: add("Host", endpoint.authority)
        case .name(let name): add("Host", name)
        }
        add("Upgrade", "websocket")
        add("Connection", "Upgrade")
        add("Sec-WebSocket-Version", "13")
        add("Sec-WebSocket-Key", key)
        if !admitted.subprotocols.isEmpty { add("Sec-WebSocket-Protocol", admitted.subprotocols.joined(separator: ", ")) }
        if !admitted.compressionOffers.isEmpty {
            add("Sec-WebSocket-Extensions", ExtensionOffer.render(admitted.compressionOffers))
        }
        if let origin = admitted.origin { add("Origin", origin) }
        for field in admitted.passedFields.all { add(field.name, field.value) }
        add("X-Forwarded-For", admitted.forwarded.forList)
        add("X-Forwarded-Proto", admitted.forwarded.proto)
        add("X-Forwarded-Host", admitted.forwarded.host)
        add("X-Request-Id", sessionID)
        return Array((text + "\r\n").utf8)
    }

    /// An endpoint without a path gets the client's path and query; one with a path gets that path and the client's query.
    private static func target(_ target: RequestTarget, _ endpoint: WebSocketEndpoint) -> String {
        guard let path = endpoint.path else { return target.original }
        guard let query = target.query else { return path }
        return path + (path.contains("?") ? "&" : "?") + query
    }
}
