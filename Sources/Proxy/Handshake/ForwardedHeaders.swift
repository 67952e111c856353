package import Configuration
package import HTTP1

/// Who the client is and how it came, and the fields that tell a backend so.
///
/// These fields are ours alone, unless a trusted proxy sent the request: what it says is believed, and added to. Then
/// each field is a list with one element per hop, the latest last.
package struct ForwardedHeaders: Equatable, Sendable {
    /// The rightmost address that is no trusted proxy's; `nil` on a Unix socket.
    package let client: IPAddress?
    /// The client came by TLS: to our listener, or to the trusted proxy that says so.
    package let isSecure: Bool
    /// `X-Forwarded-For` (unless the client came by a Unix socket), `X-Forwarded-Proto`, `X-Forwarded-Host`.
    package let fields: HTTPFields
    /// Whether `Forwarded`, `X-Real-IP` and the like of the request may go on.
    package let isFromTrustedProxy: Bool

    /// `host` is the Host field as sent.
    package init(_ request: HTTPFields, host: String, arrival: Arrival) {
        self.isFromTrustedProxy = arrival.isFromTrustedProxy
        let believed = arrival.isFromTrustedProxy ? request : HTTPFields()
        let addresses = believed.elements("X-Forwarded-For")
        let schemes = believed.elements("X-Forwarded-Proto")
        let index = Self.clientIndex(addresses, arrival)
        self.client = index.flatMap { Self.address(addresses[$0]) } ?? arrival.clientAddress

        // One scheme per address: take the client's. Else only the last is surely from the proxy that is trusted.
        let scheme = schemes.count == addresses.count ? index.map { schemes[$0] } : schemes.last
        self.isSecure =
            arrival.listenerIsSecure || scheme.map { ["https", "wss"].contains($0.asciiLowercased) } ?? false

        var fields = HTTPFields()
        fields.reserveCapacity(fields: 3, bytes: 160)
        func append(_ name: String, _ believed: [String], _ own: String) {
            fields.append(name, believed.isEmpty ? own : (believed + [own]).joined(separator: ", "))
        }
        if let peer = arrival.clientAddress { append("X-Forwarded-For", addresses, peer.description) }
        append("X-Forwarded-Proto", schemes, arrival.listenerIsSecure ? "https" : "http")
        append("X-Forwarded-Host", believed.elements("X-Forwarded-Host"), host)
        self.fields = fields
    }

    /// The client of a request, whatever else may be wrong with that.
    static func client(of request: HTTPFields, _ arrival: Arrival) -> IPAddress? {
        guard arrival.isFromTrustedProxy else { return arrival.clientAddress }
        let addresses = request.elements("X-Forwarded-For")
        return self.clientIndex(addresses, arrival).flatMap { self.address(addresses[$0]) } ?? arrival.clientAddress
    }

    /// Which element is the client: going left past trusted proxies, and not past what is no address.
    private static func clientIndex(_ addresses: [String], _ arrival: Arrival) -> Int? {
        var client: Int?
        for index in addresses.indices.reversed() {
            guard let address = self.address(addresses[index]) else { return client }
            client = index
            if !arrival.isTrusted(address) { return client }
        }
        return client
    }

    /// An address as proxies write it: alone, with a port, in brackets.
    private static func address(_ text: String) -> IPAddress? {
        if let address = IPAddress(text) { return address }
        guard let authority = Authority(text) else { return nil }
        return IPAddress(authority.host)
    }
}
