public import Configuration
internal import HTTP1

/// The request as its backend gets it. It is written afresh: only fields that are chosen are passed on.
extension PlainRequest {
    /// - Parameters:
    ///   - route: the path of the route that the request came by.
    ///   - host: the backend's `host`.
    ///   - id: for `X-Request-Id`, unless a trusted proxy has named the request.
    ///   - cookie: the name of the gateway's own cookie (`PlacementRule.ownCookie`), which the endpoint does not get.
    public func bytes(
        to endpoint: WebSocketEndpoint, on route: PathPattern, host: HostHeader, id: String, without cookie: String?
    ) -> [UInt8] {
        self.head(to: endpoint, on: route, host: host, id: id, without: cookie).bytes
    }

    func head(
        to endpoint: WebSocketEndpoint, on route: PathPattern = .subtree("/"), host: HostHeader, id: String,
        without cookie: String? = nil
    ) -> RequestHead {
        var fields = HTTPFields()
        fields.reserveCapacity(fields: 24, bytes: 1024)
        fields.append("Host", BackendRequest.host(host, self.checked.host, endpoint))
        // An Origin even if the client's Connection names it: to a backend a request without one is not a browser's.
        if let origin = self.checked.origin { fields.append("Origin", origin) }
        for value in self.fields.values("Expect") { fields.append("Expect", value) }
        // A field of this hop, and ours to send: trailers are passed on.
        if self.fields.hasElement("TE", where: { $0.equalsIgnoringCase("trailers".utf8.span) }) {
            fields.append("TE", "trailers")
            fields.append("Connection", "TE")
        }
        self.checked.forwarded.append(to: &fields)
        if let prefix = endpoint.prefix(on: route) { fields.append("X-Forwarded-Prefix", prefix) }
        fields.append("X-Request-Id", self.checked.requestID ?? id)
        let isTrusted = self.checked.forwarded.isFromTrustedProxy
        let sent = cookie.map { self.fields.removing(cookie: $0) } ?? self.fields
        FieldFilter.append(request: sent, isFromTrustedProxy: isTrusted, to: &fields)
        // Behind those of the proxies before us (RFC 9110 section 7.6.3).
        fields.append("Via", self.version == .http11 ? "1.1 gateway" : "1.0 gateway")
        fields.append(framing: self.framing)
        return RequestHead(method: self.method, target: self.target.asked(of: endpoint, on: route), fields: fields)
    }
}

extension HTTPFields {
    /// Appends what says so.
    mutating func append(framing: MessageBody.Framing) {
        switch framing {
        case .none, .untilEnd: break
        case .length(let length): self.append("Content-Length", String(length))
        case .chunked: self.append("Transfer-Encoding", "chunked")
        }
    }
}
