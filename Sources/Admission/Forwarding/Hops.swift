public import Configuration
public import HTTP1

/// The hops of a request, as a trusted proxy lists them; none if the other end is not trusted. There may be thousands, so they are read
/// once for each request.
public struct Hops: Equatable, Sendable {
    /// The elements of `X-Forwarded-For`.
    let addresses: [String]
    let arrival: Arrival
    /// The index of the client among them; `nil`: it is not among them.
    private let place: Int?
    /// The rightmost address that is not a trusted proxy's; `nil` if none is known, on a Unix socket.
    public let client: IPAddress?
    private let believed: HTTPFields

    /// Finds the client in `X-Forwarded-For`, from right to left past trusted proxies.
    public init(_ request: HTTPFields, _ arrival: Arrival) {
        self.arrival = arrival
        self.believed = arrival.isFromTrustedProxy ? request : HTTPFields()
        self.addresses = self.believed.elements("X-Forwarded-For")
        // Go left past trusted proxies, but not past text that is not an address.
        var found: (place: Int, client: IPAddress)?
        for place in self.addresses.indices.reversed() {
            guard let address = Self.address(self.addresses[place]) else { break }
            found = (place, address)
            if !arrival.trustedProxies.contains(address) { break }
        }
        self.place = found?.place
        self.client = found?.client ?? arrival.peer
    }

    /// What a list says of the client, if that can be read. With one value for each address it is the value at the client's place, else the
    /// last one: only that surely comes from the trusted proxy.
    func value<Value>(of name: String, where read: (String) -> Value?) -> Value? {
        guard !self.believed.isEmpty else { return nil }
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
