internal import Configuration

/// Reads the header of a connection, version 1 or 2, in whatever pieces it comes. It keeps at most 107 bytes of it.
public struct ProxyHeaderReader: Sendable {
    /// How far it has come.
    public enum Progress: Equatable, Sendable {
        case more
        case header(ProxyHeader)
        /// What came is no header.
        case invalid(Fault)
    }

    private enum State {
        /// The bytes so far: of version 2 at most those of its addresses.
        case reading([UInt8])
        /// The header is known, and so many bytes behind its addresses are not looked at (TLVs).
        case skipping(Int, ProxyHeader)
    }

    /// What a byte led to.
    private enum Step {
        case more
        case known(ProxyHeader, rest: Int)
        case invalid(Fault)
    }

    /// The longest line of version 1, with its end.
    static let longestLine = 107
    /// Signature, command, family and length of version 2.
    private static let fixedPart = 16

    private var state = State.reading([])

    /// Nothing has come.
    public init() {}

    /// Takes the bytes that follow those of the last call. After `header` and `invalid` there is no other call.
    ///
    /// - Parameter index: where to begin; then where the header ends, or the bytes do.
    public mutating func read(_ bytes: Span<UInt8>, from index: inout Int) -> Progress {
        while index < bytes.count {
            switch self.state {
            case .reading(var held):
                // The array must have one owner, or each byte would copy it.
                self.state = .reading([])
                held.append(bytes[index])
                index += 1
                let step = Self.step(held)
                self.state = .reading(held)
                switch step {
                case .more: break
                case .known(let header, rest: 0): return .header(header)
                case .known(let header, let rest): self.state = .skipping(rest, header)
                case .invalid(let fault): return .invalid(fault)
                }
            case .skipping(let count, let header):
                let skipped = min(count, bytes.count - index)
                index += skipped
                guard skipped < count else { return .header(header) }
                self.state = .skipping(count - skipped, header)
            }
        }
        return .more
    }

    /// The last of `held` has just come.
    private static func step(_ held: [UInt8]) -> Step {
        let start = held[0] == ProxyHeader.signature[0] ? ProxyHeader.signature : ProxyHeader.word
        let last = held.count - 1
        guard last >= start.count else { return held[last] == start[last] ? .more : .invalid(.absent) }
        return start == ProxyHeader.word ? self.stepInLine(held) : self.stepInBinary(held)
    }

    // MARK: - Version 1

    private static func stepInLine(_ held: [UInt8]) -> Step {
        let (carriageReturn, lineFeed) = (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
        let last = held.count - 1
        if held[last] == lineFeed {
            guard held[last - 1] == carriageReturn else { return .invalid(.line) }
            let line = String(decoding: held[ProxyHeader.word.count..<last - 1], as: UTF8.self)
            return self.header(ofLine: line).map { .known($0, rest: 0) } ?? .invalid(.line)
        }
        guard held[last] == carriageReturn || (0x20...0x7E).contains(held[last]), held[last - 1] != carriageReturn
        else { return .invalid(.line) }
        return held.count < self.longestLine ? .more : .invalid(.longLine)
    }

    /// - Parameter line: what stands between the first word and the end.
    private static func header(ofLine line: String) -> ProxyHeader? {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        switch parts[0] {
        // What follows is not looked at (section 2.1).
        case "UNKNOWN": return .unknown
        case "TCP4", "TCP6": break
        default: return nil
        }
        let isIPv6 = parts[0] == "TCP6"
        guard parts.count == 5, let source = self.place(parts[1], parts[3], isIPv6: isIPv6),
            let destination = self.place(parts[2], parts[4], isIPv6: isIPv6)
        else { return nil }
        return .addresses(source: source, destination: destination)
    }

    private static func place(_ address: Substring, _ port: Substring, isIPv6: Bool) -> ProxyHeader.Place? {
        // A port without signs and leading zeros.
        guard address.contains(":") == isIPv6, let address = IPAddress(String(address)), let number = UInt16(port),
            String(number) == port
        else { return nil }
        return ProxyHeader.Place(address, port: number)
    }

    // MARK: - Version 2

    private static func stepInBinary(_ held: [UInt8]) -> Step {
        guard held.count >= self.fixedPart else { return .more }
        let length = Int(self.number(held[14..<16]))
        switch held[12] {
        // The family is ignored.
        case 0x20: return .known(.local, rest: length)
        case 0x21: return self.stepInAddresses(held, length)
        case 0x22...0x2F: return .invalid(.command(held[12] & 0xF))
        default: return .invalid(.version(held[12] >> 4))
        }
    }

    private static func stepInAddresses(_ held: [UInt8], _ length: Int) -> Step {
        let count: Int
        switch held[13] {
        case 0x00: return .known(.unknown, rest: length)
        // Of datagrams, too: a proxy may have taken them as QUIC.
        case 0x11, 0x12: count = 4
        case 0x21, 0x22: count = 16
        case 0x31, 0x32: return length < 216 ? .invalid(.short(length)) : .known(.unix, rest: length)
        case let family: return .invalid(.family(family))
        }
        let all = 2 * (count + 2)
        guard length >= all else { return .invalid(.short(length)) }
        guard held.count == self.fixedPart + all else { return .more }
        let (ports, addresses) = (held[(held.count - 4)...], held[self.fixedPart...])
        let source = ProxyHeader.Place(
            self.address(addresses.prefix(count)), port: UInt16(self.number(ports.prefix(2))))
        let destination = ProxyHeader.Place(
            self.address(addresses.dropFirst(count).prefix(count)), port: UInt16(self.number(ports.dropFirst(2))))
        return .known(.addresses(source: source, destination: destination), rest: length - all)
    }

    private static func address(_ bytes: ArraySlice<UInt8>) -> IPAddress {
        guard bytes.count == 16 else { return IPAddress(ipv4: UInt32(self.number(bytes))) }
        return IPAddress(high: self.number(bytes.prefix(8)), low: self.number(bytes.dropFirst(8)))
    }

    /// At most 8 bytes, in network byte order.
    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
}

extension ProxyHeaderReader {
    /// Why what came is no header.
    public enum Fault: Equatable, Sendable, CustomStringConvertible {
        /// It begins as none does.
        case absent
        /// A line that is not as version 1 has it.
        case line
        case longLine
        case version(UInt8)
        case command(UInt8)
        case family(UInt8)
        /// It has no room for its addresses.
        case short(Int)

        /// A few words for the log.
        public var description: String {
            switch self {
            case .absent: "the connection does not begin with a PROXY header"
            case .line: "the line of its PROXY header is malformed"
            case .longLine: "the line of its PROXY header has more than \(longestLine) bytes"
            case .version(let version): "its PROXY header has the version \(version)"
            case .command(let command): "its PROXY header has the command \(command)"
            case .family(let family):
                "its PROXY header has the address family \(family >> 4) and protocol \(family & 0xF)"
            case .short(let length): "its PROXY header is too short for its addresses: \(length) bytes"
            }
        }
    }
}
