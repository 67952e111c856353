package import Configuration
package import HTTP1

/// Who the client is and what it asked for, and the fields that tell a backend so.
///
/// These fields are ours alone, unless a trusted proxy sent the request: what it says is believed. Only `X-Forwarded-For` is a list
/// that each hop adds to. Of the others one value goes on, the one that counts: servers take the whole of it for the scheme or the host.
package struct ForwardedHeaders: Equatable, Sendable {
    /// The rightmost address that is no trusted proxy's; `nil` where none is known, on a Unix socket.
    package let client: IPAddress?
    /// The scheme that the client used, `https` or `http`: what a trusted proxy says, else that of our listener.
    package let scheme: String
    /// The schemes that an Origin of its own page may have: a proxy that speaks TLS to us may not know what was spoken to the one
    /// before it.
    package let schemes: [String]
    /// What the client asked for: Host, or what a trusted proxy says that it was.
    package let host: Authority
    /// `X-Forwarded-For` and `X-Real-IP` (where an address is known), `X-Forwarded-Proto`, `-Host` and `-Port`.
    package let fields: HTTPFields
    /// Whether `Forwarded` and the like of the request may go on.
    package let isFromTrustedProxy: Bool

    /// `host` is the Host field.
    package init(_ request: HTTPFields, host: Authority, arrival: Arrival) {
        let chain = Chain(request, arrival)
        self.isFromTrustedProxy = arrival.isFromTrustedProxy
        self.client = chain.client
        let own = arrival.listenerIsSecure ? "https" : "http"
        self.scheme = chain.value(of: Self.proto, where: Self.scheme) ?? own
        self.schemes = arrival.listenerIsSecure && self.scheme != own ? [self.scheme, own] : [self.scheme]
        self.host = chain.value(of: Self.host, where: { Authority($0) }) ?? host

        var fields = HTTPFields()
        fields.reserveCapacity(fields: 5, bytes: 256)
        let hops = chain.addresses + (arrival.peer.map { [$0.description] } ?? [])
        if !hops.isEmpty { fields.append("X-Forwarded-For", hops.joined(separator: ", ")) }
        fields.append(Self.proto, self.scheme)
        fields.append(Self.host, self.host.text)
        // The port of the URL that the client has: ours may be another one than that of the proxy in front.
        let port = self.host.port ?? defaultPort(ofScheme: self.scheme)
        fields.append(Self.port, String(chain.value(of: Self.port, where: Self.portNumber) ?? port))
        if let client = self.client { fields.append("X-Real-IP", client.description) }
        self.fields = fields
    }

    private static let proto = "X-Forwarded-Proto"
    private static let host = "X-Forwarded-Host"
    private static let port = "X-Forwarded-Port"

    /// The fields that decide what the client asked for.
    package static let deciding = [Self.proto, Self.host]

    /// The client of a request, whatever else may be wrong with that.
    static func client(of request: HTTPFields, _ arrival: Arrival) -> IPAddress? { Chain(request, arrival).client }

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

    private static func portNumber(_ text: String) -> UInt16? {
        guard text.utf8.allSatisfy(\.isDigit), let port = UInt16(text), port > 0 else { return nil }
        return port
    }
}

/// The hops that a request came by, as a trusted proxy tells them: its address is added behind those that it was told. Empty where the
/// other end is not trusted.
private struct Chain {
    /// The elements of `X-Forwarded-For`.
    let addresses: [String]
    /// Which of them is the client; `nil`: none of them.
    private let place: Int?
    let client: IPAddress?
    private let believed: HTTPFields

    init(_ request: HTTPFields, _ arrival: Arrival) {
        self.believed = arrival.isFromTrustedProxy ? request : HTTPFields()
        self.addresses = self.believed.elements("X-Forwarded-For")
        // Going left past trusted proxies, and not past what is no address.
        var found: (place: Int, client: IPAddress)?
        for place in self.addresses.indices.reversed() {
            guard let address = Self.address(self.addresses[place]) else { break }
            found = (place, address)
            if !arrival.trustedProxies.contains(address) { break }
        }
        self.place = found?.place
        self.client = found?.client ?? arrival.peer
    }

    /// What a list says of the client, as far as it can be read: with one value for each address the client's, else the last, since only
    /// that is surely from the proxy that is trusted.
    func value<Value>(of name: String, where read: (String) -> Value?) -> Value? {
        let values = self.believed.elements(name)
        guard let last = values.last else { return nil }
        guard let place = self.place, values.count == self.addresses.count else { return read(last) }
        return read(values[place])
    }

    /// An address as proxies write it: alone, with a port, in brackets, quoted (as in `Forwarded`), with the zone of a link.
    private static func address(_ text: String) -> IPAddress? {
        let isQuoted =
            text.utf8.count > 1 && text.utf8.first == UInt8(ascii: "\"") && text.utf8.last == UInt8(ascii: "\"")
        let bare = isQuoted ? text.dropFirst().dropLast() : text[...]
        guard let percent = bare.firstIndex(of: "%") else { return self.address(unzoned: String(bare)) }
        let rest = bare[percent...].firstIndex(of: "]").map { bare[$0...] } ?? ""
        return self.address(unzoned: "\(bare[..<percent])\(rest)")
    }

    private static func address(unzoned text: String) -> IPAddress? {
        IPAddress(text) ?? Authority(text).flatMap { IPAddress($0.host) }
    }
}
