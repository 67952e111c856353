public import Configuration
internal import HTTP1

/// The request as its backend gets it. It is written afresh: only fields that are chosen are passed on.
extension PlainRequest {
    private static let via11: HTTPFields = ["Via": "1.1 gateway"]
    private static let via10: HTTPFields = ["Via": "1.0 gateway"]

    /// - Parameters:
    ///   - route: the path of the route that the request came by.
    ///   - host: the backend's `host`.
    ///   - id: for `X-Request-Id`, unless a trusted proxy has named the request.
    ///   - cookie: the name of the gateway's own cookie (`PlacementRule.ownCookie`), which the endpoint does not get.
    public func bytes(
        to endpoint: WebSocketEndpoint, on route: PathPattern, host: HostHeader, id: String, without cookie: String?
    ) -> [UInt8] {
        var head = HeadWriter(request: self.method, self.target.asked(of: endpoint, on: route), capacity: 1024)
        head.append("Host", BackendRequest.host(host, self.checked.host, endpoint))
        // An Origin even if the client's Connection names it: to a backend a request without one is not a browser's.
        if let origin = self.checked.origin { head.append("Origin", origin) }
        for value in self.fields.values("Expect") { head.append("Expect", value) }
        // A field of this hop, and ours to send: trailers are passed on.
        if self.fields.hasElement("TE", where: { $0.equalsIgnoringCase("trailers".utf8.span) }) {
            head.append("TE", "trailers")
            head.append("Connection", "TE")
        }
        self.checked.forwarded.append(to: &head)
        if let prefix = endpoint.prefix(on: route) { head.append("X-Forwarded-Prefix", prefix) }
        head.append("X-Request-Id", self.checked.requestID ?? id)
        let filter = FieldFilter(request: self.fields, isFromTrustedProxy: self.checked.forwarded.isFromTrustedProxy)
        if let cookie {
            head.append(self.fields.removing(cookie: cookie)) { filter.passes($0) }
        } else {
            head.append(self.fields) { filter.passes($0) }
        }
        head.append(self.grantedFields)
        // Behind those of the proxies before us (RFC 9110 section 7.6.3).
        head.append(self.version == .http11 ? Self.via11 : Self.via10)
        head.append(framing: self.framing)
        return head.finished()
    }
}

extension HeadWriter {
    /// Appends what says so.
    mutating func append(framing: MessageBody.Framing) {
        switch framing {
        case .none, .untilEnd: break
        case .length(let length): self.append("Content-Length", length)
        case .chunked: self.append("Transfer-Encoding", "chunked")
        }
    }
}
