internal import Configuration
public import HTTP1

/// The client's address, what it asked for, and the fields that tell a backend so.
///
/// The gateway writes these fields afresh, unless a trusted proxy sent the request: that is believed. Only `X-Forwarded-For` is a list
/// that each hop adds to. Of the others only the value that counts is passed on: servers read all of it as the scheme or the host.
public struct ForwardedHeaders: Equatable, Sendable {
    /// The scheme that the client used, `https` or `http`: what a trusted proxy says, else that of our listener.
    let scheme: ClientScheme
    /// Whether that is https.
    var isSecure: Bool { self.scheme == .https }
    /// The schemes that the Origin of the client's own page may have. A proxy that speaks TLS to us may not know the scheme that the
    /// proxy before it was asked with.
    var schemes: [String] {
        let own = Self.scheme(of: self.hops.arrival)
        let schemes = own == .https && self.scheme != own ? [self.scheme, own] : [self.scheme]
        return schemes.map(\.rawValue)
    }
    /// The host that the client asked for: Host, or what a trusted proxy says.
    let host: Authority
    /// `host` with the port that a trusted proxy names, if it has none itself: the Origin of the client's own page has it.
    var place: Authority {
        Self.place(self.host, port: self.hops.value(of: Self.port, where: Self.portNumber))
    }
    private let hops: Hops

    /// How the request reached the gateway.
    var arrival: Arrival { self.hops.arrival }
    /// The rightmost address that is not a trusted proxy's; `nil` if none is known, on a Unix socket.
    var client: IPAddress? { self.hops.client }
    /// Whether the request's `Forwarded` and similar fields may be passed on.
    var isFromTrustedProxy: Bool { self.hops.arrival.isFromTrustedProxy }

    /// `host` is the Host field.
    init(_ request: HTTPFields, host: Authority, arrival: Arrival) {
        self.init(Hops(request, arrival), host: host)
    }

    /// `host` is the Host field.
    init(_ hops: Hops, host: Authority) {
        self.hops = hops
        self.scheme = hops.value(of: Self.proto, where: Self.scheme) ?? Self.scheme(of: hops.arrival)
        self.host = hops.value(of: Self.host, where: { Authority($0) }) ?? host
    }

    /// Appends `X-Forwarded-For` and `X-Real-IP` (where an address is known), `X-Forwarded-Proto`, `-Host` and `-Port`.
    func append(to head: inout HeadWriter) {
        let peer = self.hops.arrival.peer?.description
        let before = self.hops.addresses
        if !before.isEmpty {
            head.append("X-Forwarded-For", (before + (peer.map { [$0] } ?? [])).joined(separator: ", "))
        } else if let peer {
            head.append("X-Forwarded-For", peer)
        }
        head.append(self.isSecure ? Self.protoHTTPS : Self.protoHTTP)
        head.append(Self.host, self.host.text)
        // The port of the client's URL: a proxy in front may listen on another than ours.
        let port = self.host.port ?? defaultPort(ofScheme: self.scheme.rawValue)
        head.append(Self.port, Int(self.hops.value(of: Self.port, where: Self.portNumber) ?? port))
        guard let client = self.client else { return }
        head.append("X-Real-IP", client == self.hops.arrival.peer ? peer ?? "" : client.description)
    }

    private static func scheme(of arrival: Arrival) -> ClientScheme { arrival.listenerIsSecure ? .https : .http }

    private static let proto = "X-Forwarded-Proto"
    private static let protoHTTP: HTTPFields = [Self.proto: ClientScheme.http.rawValue]
    private static let protoHTTPS: HTTPFields = [Self.proto: ClientScheme.https.rawValue]
    private static let host = "X-Forwarded-Host"
    private static let port = "X-Forwarded-Port"

    /// The fields that decide what the client asked for.
    static let deciding = [Self.proto, Self.host, Self.port]

    /// The name that a trusted proxy gave the request, so that both logs have it.
    public static func requestID(of request: HTTPFields, _ arrival: Arrival) -> String? {
        guard arrival.isFromTrustedProxy, case .once(let id) = request.only("X-Request-Id"), !id.isEmpty else {
            return nil
        }
        return id
    }

    /// Some proxies name the scheme of a WebSocket; backends know only those of HTTP.
    private static func scheme(_ text: String) -> ClientScheme? {
        switch text.asciiLowercased {
        case "https", "wss": .https
        case "http", "ws": .http
        default: nil
        }
    }

    /// A proxy behind another proxy names the port that it was asked at itself: 80, though the client has `https`. So 80 and 443 say no
    /// more than the scheme does.
    private static func place(_ host: Authority, port: UInt16?) -> Authority {
        guard host.port == nil, let port, port != 80, port != 443 else { return host }
        return Authority("\(host.text):\(port)") ?? host
    }

    private static func portNumber(_ text: String) -> UInt16? {
        guard text.utf8.allSatisfy(\.isDigit), let port = UInt16(text), port > 0 else { return nil }
        return port
    }
}
