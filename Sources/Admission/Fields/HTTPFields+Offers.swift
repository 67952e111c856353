internal import HTTP1
internal import WebSocketProtocol

extension HTTPFields {
    /// Whether the list of that name is well formed and has this token: a handshake's `Upgrade` and `Connection` must.
    func offers(_ token: String, in name: String) -> Bool {
        // Usually the token is the whole value.
        self.isList(name, of: token) || HeaderTokens.contains(token, in: self.values(name))
    }
}
