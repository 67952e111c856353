public import Configuration

/// What a proxy says of a connection before anything else (HAProxy's proxy-protocol.txt, sections 2.1 and 2.2).
public enum ProxyHeader: Equatable, Sendable {
    /// The connection is the proxy's own, such as a health check.
    case local
    /// The proxy does not say where the connection comes from.
    case unknown
    /// The client is connected to a Unix socket of the proxy.
    case unix
    /// A client, and the address of the proxy that it is connected to.
    case addresses(source: Place, destination: Place)

    /// An address and a port.
    public struct Place: Equatable, Sendable {
        /// IPv4 or IPv6.
        public var address: IPAddress
        /// 0 if it is not known.
        public var port: UInt16

        /// See the properties.
        public init(_ address: IPAddress, port: UInt16) {
            self.address = address
            self.port = port
        }
    }
}

// MARK: - Writing

extension ProxyHeader {
    /// Begins each header of version 2.
    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    /// Begins each header of version 1.
    static let word = Array("PROXY ".utf8)

    /// The header as it goes on the wire. Version 1 has one word for all that are not `addresses`, and version 2 says of a Unix socket only
    /// that it does not say more.
    public func bytes(_ version: ProxyProtocolVersion) -> [UInt8] {
        switch version {
        case .v1: Self.word + Array(self.line.utf8)
        case .v2: self.binary
        }
    }

    /// Behind the first word.
    private var line: String {
        guard case .addresses(let source, let destination) = self else { return "UNKNOWN\r\n" }
        let isIPv4 = Self.areIPv4(source, destination)
        func text(_ place: Place) -> String {
            place.address.isIPv4 && !isIPv4 ? "::ffff:\(place.address)" : place.address.description
        }
        let family = isIPv4 ? "TCP4" : "TCP6"
        return "\(family) \(text(source)) \(text(destination)) \(source.port) \(destination.port)\r\n"
    }

    private var binary: [UInt8] {
        let (command, family): (UInt8, UInt8)
        var addresses: [UInt8] = []
        switch self {
        case .local: (command, family) = (0x20, 0x00)
        case .unknown, .unix: (command, family) = (0x21, 0x00)
        case .addresses(let source, let destination):
            let isIPv4 = Self.areIPv4(source, destination)
            (command, family) = (0x21, isIPv4 ? 0x11 : 0x21)
            for place in [source, destination] { Self.append(place.address, asIPv4: isIPv4, to: &addresses) }
            for place in [source, destination] { Self.append(UInt64(place.port), bytes: 2, to: &addresses) }
        }
        var bytes = Self.signature + [command, family]
        Self.append(UInt64(addresses.count), bytes: 2, to: &bytes)
        return bytes + addresses
    }

    /// Whether both fit an IPv4 header. Otherwise an IPv4 address among them is written as IPv6 (RFC 4291 section 2.5.5.2).
    private static func areIPv4(_ source: Place, _ destination: Place) -> Bool {
        source.address.isIPv4 && destination.address.isIPv4
    }

    private static func append(_ address: IPAddress, asIPv4: Bool, to bytes: inout [UInt8]) {
        if !asIPv4 { self.append(address.high, bytes: 8, to: &bytes) }
        self.append(address.low, bytes: asIPv4 ? 4 : 8, to: &bytes)
    }

    /// Appends the last `count` bytes of a number, in network byte order.
    private static func append(_ number: UInt64, bytes count: Int, to bytes: inout [UInt8]) {
        for index in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(index * 8))) }
    }
}
