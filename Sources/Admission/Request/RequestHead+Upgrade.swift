public import HTTP1
internal import WebSocketProtocol

extension RequestHead {
    /// Whether it asks to become a WebSocket: all else is plain HTTP. HTTP/1.0 cannot ask (RFC 9110 section 7.8).
    public var isUpgrade: Bool {
        self.method == "GET" && self.version == .http11 && self.fields.offers("websocket", in: "Upgrade")
            && self.fields.offers("upgrade", in: "Connection")
    }
}
