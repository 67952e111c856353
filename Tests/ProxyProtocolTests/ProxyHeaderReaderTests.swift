import Configuration
import Testing

@testable import ProxyProtocol

/// What a reader makes of bytes, and how many of them it takes. It must be the same however they are cut: whole, byte by byte, and in two
/// parts at every point.
private func read(_ bytes: [UInt8]) -> (progress: ProxyHeaderReader.Progress, taken: Int) {
    let ways = [[bytes.count], Array(1...max(1, bytes.count))] + bytes.indices.map { [$0, bytes.count] }
    let results = ways.map { ends in
        var reader = ProxyHeaderReader()
        var (start, taken) = (0, 0)
        for end in ends {
            var index = 0
            let progress = reader.read(bytes.span.extracting(start..<end), from: &index)
            taken += index
            if progress != .more { return (progress, taken) }
            #expect(index == end - start, "of a header that goes on, all is taken")
            start = end
        }
        return (.more, taken)
    }
    for result in results { #expect(result == results[0], "the ways disagree") }
    return results[0]
}

private func read(_ line: String) -> (progress: ProxyHeaderReader.Progress, taken: Int) { read(Array(line.utf8)) }

private func place(_ address: String, _ port: UInt16) -> ProxyHeader.Place {
    ProxyHeader.Place(IPAddress(address)!, port: port)
}

private func header(_ source: ProxyHeader.Place, _ destination: ProxyHeader.Place) -> ProxyHeader {
    .addresses(source: source, destination: destination)
}

/// A header of version 2.
private func binary(_ command: UInt8, _ family: UInt8, _ rest: [UInt8], length: Int? = nil) -> [UInt8] {
    let length = length ?? rest.count
    return ProxyHeader.signature + [command, family, UInt8(length >> 8), UInt8(length & 0xFF)] + rest
}

private let ipv4: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 2, 0xDC, 0x04, 0x01, 0xBB]
private let ipv6: [UInt8] =
    [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
    + [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [2] + [0xDC, 0x04, 0x01, 0xBB]
/// An authority (0x02) and a TLV without a value (0x04, NOOP).
private let tlvs: [UInt8] = [0x02, 0, 3, 0x61, 0x2E, 0x62, 0x04, 0, 0]
private let clients = [
    "ipv4": header(place("192.0.2.1", 56324), place("198.51.100.2", 443)),
    "ipv6": header(place("2001:db8::1", 56324), place("2001:db8::2", 443)),
]

@Suite struct ProxyHeaderReaderTests {
    // MARK: - Version 1

    @Test(arguments: [
        ("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", clients["ipv4"]!),
        ("PROXY TCP6 2001:db8::1 2001:DB8::2 56324 443\r\n", clients["ipv6"]!),
        (
            "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 0 65535\r\n",
            header(place("192.0.2.1", 0), place("2001:db8::2", 65535))
        ),
        ("PROXY UNKNOWN\r\n", .unknown),
        ("PROXY UNKNOWN whatever 1 2 3  4\r\n", .unknown),
        // The longest there is.
        ("PROXY UNKNOWN \(String(repeating: "f", count: 91))\r\n", .unknown),
    ])
    func `a line of version 1 is a header, and what follows is left`(_ line: String, _ header: ProxyHeader) {
        let length = line.utf8.count
        #expect(read(line) == (.header(header), length))
        #expect(read(line + "PROXY \r\n\u{16}") == (.header(header), length))
        #expect(read(String(line.dropLast())) == (.more, length - 2), "Swift takes CR and LF as one character")
    }

    @Test(arguments: [
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\rX",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 1\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443 \r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.2 56324 443\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.2 56324 443\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.2 56324 443\r\n",
        "PROXY TCP4 2001:db8::1 2001:db8::2 56324 443\r\n",
        "PROXY TCP4 ::ffff:192.0.2.1 198.51.100.2 56324 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.2 56324 443\r\n",
        "PROXY TCP6 [2001:db8::1] 2001:db8::2 56324 443\r\n",
        "PROXY TCP6 fe80::1%eth0 2001:db8::2 56324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 056324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 +1 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2 -1 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.2  443\r\n",
        "PROXY TCP4\t192.0.2.1",
        "PROXY tcp4 192.0.2.1 198.51.100.2 56324 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.2 56324 443\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY \r\n",
        "PROXY \n",
        "PROXY \0",
        "PROXY UNKNOWN é",
    ])
    func `a malformed line is refused`(_ line: String) { #expect(read(line).progress == .invalid(.line)) }

    @Test func `a line that does not end is refused at its 107th byte`() {
        let line = "PROXY UNKNOWN " + String(repeating: "f", count: 200)
        #expect(read(line) == (.invalid(.longLine), 107))
        #expect(read("PROXY TCP4 " + String(repeating: "1", count: 200)) == (.invalid(.longLine), 107))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n", 1), ("POST / HTTP/1.1\r\n", 2), ("\u{16}\u{3}\u{1}", 1), ("PROXYTCP4", 6),
        ("proxy TCP4", 1),
        (" PROXY TCP4", 1), ("\r\n\r\n\0\r\nQUIX", 11), ("\r\nPROXY", 3), ("\0", 1),
    ])
    func `what is no header is refused at the first byte that shows it`(_ text: String, taken: Int) {
        #expect(read(text) == (.invalid(.absent), taken))
    }

    // MARK: - Version 2

    @Test(arguments: [
        (binary(0x21, 0x11, ipv4), clients["ipv4"]!),
        (binary(0x21, 0x12, ipv4), clients["ipv4"]!),
        (binary(0x21, 0x21, ipv6), clients["ipv6"]!),
        (binary(0x21, 0x22, ipv6), clients["ipv6"]!),
        (binary(0x21, 0x11, ipv4 + tlvs), clients["ipv4"]!),
        (binary(0x21, 0x21, ipv6 + tlvs), clients["ipv6"]!),
        (binary(0x21, 0x31, [UInt8](repeating: 0x61, count: 216)), .unix),
        (binary(0x21, 0x32, [UInt8](repeating: 0, count: 216) + tlvs), .unix),
        (binary(0x21, 0x00, []), .unknown),
        (binary(0x21, 0x00, tlvs), .unknown),
        (binary(0x20, 0x00, []), .local),
        // Of LOCAL the family is ignored, whatever it is.
        (binary(0x20, 0x11, ipv4), .local),
        (binary(0x20, 0xFF, [1, 2, 3]), .local),
    ])
    func `a header of version 2 is read, and what follows is left`(_ bytes: [UInt8], _ header: ProxyHeader) {
        #expect(read(bytes) == (.header(header), bytes.count))
        #expect(read(bytes + [0x16, 3, 1]) == (.header(header), bytes.count))
        #expect(read(Array(bytes.dropLast())) == (.more, bytes.count - 1))
    }

    @Test func `as many TLVs as the length allows are skipped`() {
        var reader = ProxyHeaderReader()
        let bytes = binary(0x21, 0x11, ipv4 + [UInt8](repeating: 0x0D, count: 65535 - 12))
        var index = 0
        #expect(reader.read((bytes + [0x16]).span, from: &index) == .header(clients["ipv4"]!))
        #expect(index == 16 + 65535)
    }

    @Test(arguments: [
        (binary(0x11, 0x11, ipv4), ProxyHeaderReader.Fault.version(1)),
        (binary(0x31, 0x11, ipv4), .version(3)),
        (binary(0x22, 0x11, ipv4), .command(2)),
        (binary(0x2F, 0x11, ipv4), .command(15)),
        (binary(0x21, 0x01, ipv4), .family(0x01)),
        (binary(0x21, 0x10, ipv4), .family(0x10)),
        (binary(0x21, 0x13, ipv4), .family(0x13)),
        (binary(0x21, 0x20, ipv6), .family(0x20)),
        (binary(0x21, 0x41, ipv6), .family(0x41)),
        (binary(0x21, 0x11, ipv4, length: 11), .short(11)),
        (binary(0x21, 0x11, [], length: 0), .short(0)),
        (binary(0x21, 0x21, ipv6, length: 35), .short(35)),
        (binary(0x21, 0x31, ipv6, length: 215), .short(215)),
    ])
    func `a header of version 2 with another meaning is refused`(
        _ bytes: [UInt8], _ fault: ProxyHeaderReader.Fault
    ) {
        #expect(read(bytes) == (.invalid(fault), 16), "its addresses are not waited for")
    }

    @Test func `each fault is said in a few words`() {
        let faults: [ProxyHeaderReader.Fault] = [
            .absent, .line, .longLine, .version(3), .command(2), .family(0x41), .short(11),
        ]
        #expect(
            faults.map(\.description) == [
                "the connection does not begin with a PROXY header",
                "the line of its PROXY header is malformed",
                "the line of its PROXY header has more than 107 bytes",
                "its PROXY header has the version 3",
                "its PROXY header has the command 2",
                "its PROXY header has the address family 4 and protocol 1",
                "its PROXY header is too short for its addresses: 11 bytes",
            ])
    }
}

@Suite struct ProxyHeaderTests {
    @Test(arguments: [
        (clients["ipv4"]!, "TCP4 192.0.2.1 198.51.100.2 56324 443"),
        (clients["ipv6"]!, "TCP6 2001:db8::1 2001:db8::2 56324 443"),
        // Of two families it is IPv6.
        (
            header(place("192.0.2.1", 0), place("2001:db8::2", 443)),
            "TCP6 ::ffff:192.0.2.1 2001:db8::2 0 443"
        ),
        (
            header(place("2001:db8::1", 1), place("192.0.2.1", 443)),
            "TCP6 2001:db8::1 ::ffff:192.0.2.1 1 443"
        ),
        (.local, "UNKNOWN"), (.unknown, "UNKNOWN"), (.unix, "UNKNOWN"),
    ])
    func `a header is written as a line`(_ header: ProxyHeader, _ line: String) {
        #expect(String(decoding: header.bytes(.v1), as: UTF8.self) == "PROXY \(line)\r\n")
    }

    @Test func `a header is written in bytes`() {
        #expect(clients["ipv4"]!.bytes(.v2) == binary(0x21, 0x11, ipv4))
        #expect(clients["ipv6"]!.bytes(.v2) == binary(0x21, 0x21, ipv6))
        #expect(ProxyHeader.local.bytes(.v2) == binary(0x20, 0x00, []))
        #expect(ProxyHeader.unknown.bytes(.v2) == binary(0x21, 0x00, []))
        #expect(ProxyHeader.unix.bytes(.v2) == binary(0x21, 0x00, []))
    }

    @Test(arguments: [ProxyProtocolVersion.v1, .v2])
    func `addresses that are written are read as the same`(_ version: ProxyProtocolVersion) {
        let places = ["192.0.2.1", "255.255.255.255", "::", "2001:db8::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]
            .flatMap { address in [UInt16(0), 1, 65535].map { place(address, $0) } }
        for source in places {
            for destination in places {
                let bytes = header(source, destination).bytes(version)
                #expect(version == .v2 || bytes.count <= ProxyHeaderReader.longestLine)
                #expect(read(bytes) == (.header(header(source, destination)), bytes.count))
            }
        }
    }
}
