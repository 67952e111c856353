internal import Admission
internal import HTTP1
internal import WebSocketProtocol

/// Whether a request for a WebSocket at the admin address can be one (RFC 6455 section 4.2). `RequestGuard` has looked at its Origin.
enum AdminUpgrade {
    /// The key that the 101 answers.
    ///
    /// - Throws: the answer to a request that is none.
    static func key(of request: AdminRequest) throws(AdminResponse) -> String {
        let head = RequestHead(
            method: request.method, target: request.path, version: request.version, fields: request.fields)
        guard head.isUpgrade else { throw .upgradeRequired("this is a WebSocket") }
        guard case .once("13") = request.fields.only("Sec-WebSocket-Version") else {
            var refusal = AdminResponse.upgradeRequired("the version of WebSockets here is 13")
            refusal.fields.append("Sec-WebSocket-Version", "13")
            throw refusal
        }
        guard case .once(let key) = request.fields.only("Sec-WebSocket-Key"), AcceptKey.isValidKey(key) else {
            throw .error(400, "one Sec-WebSocket-Key of 16 bytes in base64 is needed")
        }
        guard request.body.isEmpty else { throw .error(400, "a request for a WebSocket has no body") }
        return key
    }
}

extension AdminResponse {
    fileprivate static func upgradeRequired(_ message: String) -> AdminResponse {
        var refusal = AdminResponse.error(426, message)
        refusal.fields.append("Upgrade", "websocket")
        refusal.fields.append("Connection", "Upgrade")
        return refusal
    }
}
