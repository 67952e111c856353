public import HTTP1
internal import WebSocketProtocol

/// The 101 to a client (RFC 6455 section 4.2.2).
public enum SwitchingProtocols {
    /// The fields that ask for the upgrade and that grant it.
    static let upgrade: HTTPFields = ["Upgrade": "websocket", "Connection": "Upgrade"]

    /// - Parameters:
    ///   - key: the client's `Sec-WebSocket-Key`.
    ///   - subprotocol: the one chosen, which the client offered.
    ///   - extensions: the value of `Sec-WebSocket-Extensions`, an answer to the client's offers.
    ///   - passedFields: fields of the backend's 101 (`BackendHandshake.Accepted.passedFields`).
    ///   - headers: those of the route, which replace others of their names.
    ///   - date: when it is made, as in `Answer.bytes`.
    public static func bytes(
        key: String, subprotocol: String? = nil, extensions: String? = nil, passedFields: HTTPFields = HTTPFields(),
        headers: HTTPFields = HTTPFields(), date: String
    ) -> [UInt8] {
        var fields = HTTPFields()
        fields.reserveCapacity(fields: 16, bytes: 768)
        fields.append(self.upgrade)
        fields.append("Sec-WebSocket-Accept", AcceptKey.value(for: key))
        if let subprotocol { fields.append("Sec-WebSocket-Protocol", subprotocol) }
        if let extensions { fields.append("Sec-WebSocket-Extensions", extensions) }
        fields.append(passedFields)
        fields.set(headers)
        if !passedFields.has("Date") { fields.append("Date", date) }
        return ResponseHead(status: 101, reason: "Switching Protocols", fields: fields).bytes
    }
}
