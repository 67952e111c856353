internal import Configuration
internal import HTTP1

/// A host with an optional port, as Host and Origin have it (RFC 3986 section 3.2), read strictly and folded for comparing.
struct Authority: Hashable, Sendable {
    /// Lower case, without brackets and without trailing dot.
    let host: String
    /// `nil` where none was written.
    let port: UInt16?

    /// `nil` for anything that is not `host` or `host:port`: no user, no empty host, no spaces, no percent.
    init?(_ text: some StringProtocol) {
        let (host, port) = Self.split(text)
        guard let host else { return nil }
        if let port {
            guard !port.isEmpty, port.utf8.count <= 5, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = UInt16(port)
            else { return nil }
            self.port = number
        } else {
            self.port = nil
        }
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), let address = IPAddress(String(host.dropFirst().dropLast())), !address.isIPv4 || host.contains(":")
            else { return nil }
            self.host = address.description
            return
        }
        var name = host.asciiLowercased
        if name.hasSuffix(".") { name.removeLast() }
        guard !name.isEmpty, !name.hasPrefix("."), name.utf8.count <= 253, name.utf8.allSatisfy(Self.isNameCharacter) else {
            return nil
        }
        self.host = name
    }

    private static func split(_ text: some StringProtocol) -> (host: String?, port: String?) {
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return (nil, nil) }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { return (nil, nil) }
            return (String(text[...end]), rest.isEmpty ? nil : String(rest.dropFirst()))
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first else { return (nil, nil) }
        return (String(host), parts.count == 2 ? String(parts[1]) : nil)
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }
}

extension HostPattern {
    /// - Parameter host: folded as `Authority` does.
    func matches(_ host: String) -> Bool {
        switch self {
        case .exact(let name): name == host
        case .subdomains(let domain): host.utf8.count > domain.utf8.count + 1 && host.hasSuffix("." + domain)
        }
    }
}
