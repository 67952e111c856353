internal import HTTP1

/// The parts of the URL to explain.
struct RequestedURL {
    let isSecure: Bool
    let isWebSocket: Bool
    let authority: Authority
    let port: UInt16
    /// Path and query, as a client sends them.
    let target: String

    init?(_ url: String) {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else { return nil }
        let scheme = url[..<colon].asciiLowercased
        guard ["ws", "wss", "http", "https"].contains(scheme) else { return nil }
        let rest = url[url.index(colon, offsetBy: 3)...].prefix { $0 != "#" }
        let authorityText = rest.prefix { $0 != "/" && $0 != "?" }
        guard let authority = Authority(String(authorityText)) else { return nil }
        let path = rest[authorityText.endIndex...]
        self.isSecure = scheme == "wss" || scheme == "https"
        self.isWebSocket = scheme == "ws" || scheme == "wss"
        self.authority = authority
        self.port = authority.port ?? defaultPort(ofScheme: scheme)
        self.target = path.hasPrefix("/") ? String(path) : "/" + path
    }
}
