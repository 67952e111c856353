internal import Admission
internal import Configuration
internal import HTTP1

/// Keeps web pages from using the admin address through their visitors' browsers.
///
/// A page may send requests anywhere, and by a name of its own that resolves to this address it even reads the answers (DNS
/// rebinding). So a request has to name the address by what no page can have: an IP literal, `localhost`, or a name the operator
/// chose; and what changes something must not come from another page.
public struct RequestGuard: Equatable, Sendable {
    /// Names that it answers to, lower case.
    private let hosts: [String]
    /// No browser speaks to a Unix socket: whoever does passes on what it was asked.
    private let takesAnyHost: Bool

    public init(hosts: [String], isUnixSocket: Bool) {
        self.hosts = hosts
        self.takesAnyHost = isUnixSocket
    }

    /// The answer to a request that must not be looked at; `nil` lets it pass.
    public func refusal(of request: AdminRequest) -> AdminResponse? {
        let host: Authority?
        switch request.fields.only("Host") {
        // RFC 9112 section 3.2: every request of HTTP/1.1 has one. No browser speaks HTTP/1.0.
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
        return ["GET", "HEAD"].contains(request.method) ? nil : self.refusalOfChange(request, host)
    }

    private func answers(to host: String) -> Bool {
        IPAddress(host) != nil || host == "localhost" || self.hosts.contains(host)
    }

    /// A browser says where a request that may change something comes from; a program says nothing.
    private func refusalOfChange(_ request: AdminRequest, _ host: Authority?) -> AdminResponse? {
        switch request.fields.only("Origin") {
        case .absent: return nil
        case .repeated: return AdminResponse(400, "More than one Origin.")
        case .once(let origin):
            guard let host, let origin = WebOrigin(origin), ["http", "https"].contains(origin.scheme), origin.isAt(host)
            else {
                return AdminResponse(403, "A page of another site must not change anything here.")
            }
            return nil
        }
    }
}
