public import Configuration
internal import HTTP1

/// The request as its backend gets it. It is written afresh: only fields that are chosen are passed on.
extension PlainRequest {
    /// - Parameters:
    ///   - host: the backend's `host`.
    ///   - id: for `X-Request-Id`, unless a trusted proxy has named the request.
    public func bytes(to endpoint: WebSocketEndpoint, host: HostHeader, id: String) -> [UInt8] {
        self.head(to: endpoint, host: host, id: id).bytes
    }

    func head(to endpoint: WebSocketEndpoint, host: HostHeader, id: String) -> RequestHead {
        var fields = HTTPFields()
        fields.reserveCapacity(fields: 24, bytes: 1024)
        fields.append("Host", BackendRequest.host(host, self.host, endpoint))
        // An Origin even if the client's Connection names it: to a backend a request without one is not a browser's.
        for name in ["Origin", "Expect"] {
            for value in self.fields.values(name) { fields.append(name, value) }
        }
        // A field of this hop, and ours to send: trailers are passed on.
        if self.fields.hasElement("TE", where: { $0.equalsIgnoringCase("trailers".utf8.span) }) {
            fields.append("TE", "trailers")
            fields.append("Connection", "TE")
        }
        fields.append(self.forwarded.fields)
        fields.append("X-Request-Id", self.requestID ?? id)
        let isTrusted = self.forwarded.isFromTrustedProxy
        FieldFilter.append(request: self.fields, isFromTrustedProxy: isTrusted, to: &fields)
        // Behind those of the proxies before us (RFC 9110 section 7.6.3).
        fields.append("Via", self.version == .http11 ? "1.1 gateway" : "1.0 gateway")
        fields.append(framing: self.framing)
        return RequestHead(method: self.method, target: BackendRequest.target(self.target, endpoint), fields: fields)
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
