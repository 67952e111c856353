package import Configuration
package import HTTP1

/// Who the client is and what it asked for, and the fields that tell a backend so.
///
/// These fields are ours alone, unless a trusted proxy sent the request: what it says is believed. Only `X-Forwarded-For` is a list
/// that each hop adds to. Of the others one value goes on, the one that counts: servers take the whole of it for the scheme or the host.
package struct ForwardedHeaders: Equatable, Sendable {
    /// The scheme that the client used, `https` or `http`: what a trusted proxy says, else that of our listener.
    package let scheme: String
    /// The schemes that an Origin of its own page may have: a proxy that speaks TLS to us may not know what was spoken to the one
    /// before it.
    package let schemes: [String]
    /// What the client asked for: Host, or what a trusted proxy says that it was.
    package let host: Authority
    /// The same with the port that a trusted proxy names, where `host` has none: what the Origin of its own page has.
    let place: Authority
    private let hops: Hops

    /// The rightmost address that is no trusted proxy's; `nil` where none is known, on a Unix socket.
    package var client: IPAddress? { self.hops.client }
    /// Whether `Forwarded` and the like of the request may go on.
    package var isFromTrustedProxy: Bool { self.hops.arrival.isFromTrustedProxy }

    /// `host` is the Host field.
    package init(_ request: HTTPFields, host: Authority, arrival: Arrival) {
        self.init(Hops(request, arrival), host: host)
    }

    /// `host` is the Host field.
    init(_ hops: Hops, host: Authority) {
        self.hops = hops
        let arrival = hops.arrival
        let own = arrival.listenerIsSecure ? "https" : "http"
        self.scheme = hops.value(of: Self.proto, where: Self.scheme) ?? own
        self.schemes = arrival.listenerIsSecure && self.scheme != own ? [self.scheme, own] : [self.scheme]
        self.host = hops.value(of: Self.host, where: { Authority($0) }) ?? host
        self.place = Self.place(self.host, port: hops.value(of: Self.port, where: Self.portNumber))
    }

    /// `X-Forwarded-For` and `X-Real-IP` (where an address is known), `X-Forwarded-Proto`, `-Host` and `-Port`.
    package var fields: HTTPFields {
        var fields = HTTPFields()
        fields.reserveCapacity(fields: 5, bytes: 256)
        let addresses = self.hops.addresses + (self.hops.arrival.peer.map { [$0.description] } ?? [])
        if !addresses.isEmpty { fields.append("X-Forwarded-For", addresses.joined(separator: ", ")) }
        fields.append(Self.proto, self.scheme)
        fields.append(Self.host, self.host.text)
        // The port of the URL that the client has: ours may be another one than that of the proxy in front.
        let port = self.host.port ?? defaultPort(ofScheme: self.scheme)
        fields.append(Self.port, String(self.hops.value(of: Self.port, where: Self.portNumber) ?? port))
        if let client = self.client { fields.append("X-Real-IP", client.description) }
        return fields
    }

    private static let proto = "X-Forwarded-Proto"
    private static let host = "X-Forwarded-Host"
    private static let port = "X-Forwarded-Port"

    /// The fields that decide what the client asked for.
    package static let deciding = [Self.proto, Self.host, Self.port]

    /// The name that a trusted proxy gave the request, to be found in its log and ours.
    package static func requestID(of request: HTTPFields, _ arrival: Arrival) -> String? {
        guard arrival.isFromTrustedProxy, case .once(let id) = request.only("X-Request-Id"), !id.isEmpty else {
            return nil
        }
        return id
    }

    /// Proxies name the scheme of a WebSocket, too, and backends know only those of HTTP.
    private static func scheme(_ text: String) -> String? {
        switch text.asciiLowercased {
        case "https", "wss": "https"
        case "http", "ws": "http"
        default: nil
        }
    }

    /// A proxy that stands behind another one tells the port at which it was asked itself: 80, where the client has `https`. So those two
    /// say nothing that the scheme does not say.
    private static func place(_ host: Authority, port: UInt16?) -> Authority {
        guard host.port == nil, let port, port != 80, port != 443 else { return host }
        return Authority("\(host.text):\(port)") ?? host
    }

    private static func portNumber(_ text: String) -> UInt16? {
        guard text.utf8.allSatisfy(\.isDigit), let port = UInt16(text), port > 0 else { return nil }
        return port
    }
}
