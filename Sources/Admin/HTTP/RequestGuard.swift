internal import Admission
internal import Configuration
internal import HTTP1
internal import WebSocketProtocol

/// Keeps web pages from using the admin address through their visitors' browsers.
///
/// Any page can send requests to this address. If a host name of the page's own resolves to it, the page can even read the answers (DNS
/// rebinding). So the Host must be one that no page can have: an IP address, `localhost`, or a name that the operator chose. And a
/// request that changes something, or opens a WebSocket, must not come from another page.
public struct RequestGuard: Equatable, Sendable {
    /// Permitted host names, in lower case.
    private let hosts: [String]
    /// True for a Unix socket: browsers cannot connect to one, and a program that forwards requests to it may send any Host.
    private let takesAnyHost: Bool

    /// - Parameters:
    ///   - hosts: permitted host names, in lower case.
    ///   - isUnixSocket: whether the admin address is one.
    public init(hosts: [String], isUnixSocket: Bool) {
        self.hosts = hosts
        self.takesAnyHost = isUnixSocket
    }

    /// The answer to a request that is refused; `nil` if it may pass.
    public func refusal(of request: AdminRequest) -> AdminResponse? {
        let host: Authority?
        switch request.fields.only("Host") {
        // HTTP/1.1 requires a Host (RFC 9112 section 3.2). No browser speaks HTTP/1.0.
        case .absent:
            guard self.takesAnyHost || request.version == .http10 && request.isProbe else {
                return AdminResponse(400, "The request has no Host.")
            }
            host = nil
        case .repeated: return AdminResponse(400, "More than one Host.")
        case .once(let text):
            host = Authority(text)
            guard self.takesAnyHost || host.map({ self.answers(to: $0.host) }) == true else {
                return AdminResponse(
                    421, "The admin address answers to IP addresses, localhost and the names in admin.hosts only.")
            }
        }
        // A browser lets any page open a WebSocket anywhere and read it (RFC 6455 section 10.2).
        let isRead = ["GET", "HEAD"].contains(request.method) && !request.fields.offers("websocket", in: "Upgrade")
        return isRead ? nil : self.refusalOfForeign(request, host)
    }

    private func answers(to host: String) -> Bool {
        IPAddress(host) != nil || host == "localhost" || self.hosts.contains(host)
    }

    /// Refuses what another page sent. A browser sends an Origin with every request that may change something, and with that for a WebSocket; a
    /// program sends none.
    private func refusalOfForeign(_ request: AdminRequest, _ host: Authority?) -> AdminResponse? {
        switch request.fields.only("Origin") {
        case .absent: return nil
        case .repeated: return AdminResponse(400, "More than one Origin.")
        case .once(let origin):
            guard let host, let origin = WebOrigin(origin), ["http", "https"].contains(origin.scheme), origin.isAt(host)
            else {
                return AdminResponse(403, "A page of another site must not change anything here, nor listen.")
            }
            return nil
        }
    }
}
