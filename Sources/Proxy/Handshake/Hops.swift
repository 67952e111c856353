package import Configuration
package import HTTP1

/// The hops that a request came by, as a trusted proxy tells them: its address is added behind those that it was told. Empty where the
/// other end is not trusted. They are read once for a request: there may be thousands of them.
package struct Hops: Equatable, Sendable {
    /// The elements of `X-Forwarded-For`.
    let addresses: [String]
    let arrival: Arrival
    /// Which of them is the client; `nil`: none of them.
    private let place: Int?
    /// The rightmost address that is no trusted proxy's; `nil` where none is known, on a Unix socket.
    package let client: IPAddress?
    private let believed: HTTPFields

    package init(_ request: HTTPFields, _ arrival: Arrival) {
        self.arrival = arrival
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
