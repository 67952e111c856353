internal import Configuration
internal import HTTP1

/// How a request reached us.
struct Arrival: Sendable {
    /// `nil` on a Unix socket.
    let clientAddress: IPAddress?
    let listenerIsSecure: Bool
    let trustedProxies: [IPNetwork]

    func trusts(_ address: IPAddress?) -> Bool {
        guard let address else { return false }
        return self.trustedProxies.contains { $0.contains(address) }
    }
}

/// Who the client is and how it came, as far as we believe it, and what a backend is told of it.
///
/// From an address that is not trusted, what the request says of itself is replaced. From a trusted proxy it is appended to, and
/// the client is the rightmost address that is not trusted.
struct Forwarded: Hashable, Sendable {
    let client: IPAddress?
    let isSecure: Bool
    /// X-Forwarded-For, -Proto and -Host for the backend.
    let forList: String
    let proto: String
    let host: String

    init(_ fields: HTTPFields, host: String, arrival: Arrival) {
        let peer = arrival.clientAddress
        let believed = arrival.trusts(peer)
        let list = believed ? fields.members("x-forwarded-for") : []
        let chain = list + [peer?.description ?? "unix"]
        self.forList = chain.joined(separator: ", ")
        self.client = believed ? Self.client(in: list, arrival) ?? peer : peer
        let own = arrival.listenerIsSecure ? "https" : "http"
        let told = believed ? fields.members("x-forwarded-proto").last?.asciiLowercased : nil
        self.proto =
            switch told {
            case "https", "wss": "https"
            case "http", "ws": "http"
            default: own
            }
        self.isSecure = self.proto == "https"
        let toldHost = believed ? fields.members("x-forwarded-host").last : nil
        self.host = toldHost.flatMap { Authority($0) == nil ? nil : $0 } ?? host
    }

    /// From right to left, the first address that is not a trusted proxy's; what is not an address ends the search, because nobody
    /// we trust wrote it.
    private static func client(in list: [String], _ arrival: Arrival) -> IPAddress? {
        var last: IPAddress?
        for text in list.reversed() {
            guard let address = IPAddress(text) else { return last }
            last = address
            if !arrival.trusts(address) { return address }
        }
        return last
    }
}
