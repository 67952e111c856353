internal import HTTP1

/// `127.0.0.1:5900`, `tls://broker:8883`, `unix:/run/vnc.sock`.
public struct TCPEndpoint: Equatable, Sendable {
    /// Where to connect: a host and port, or a Unix socket.
    public var address: Address
    /// `tls://`: TLS, by the backend's `tls` section.
    public var tls: Bool
    /// The share of sessions, relative to the other endpoints.
    public var weight = Keys.tcpEndpoint.share.weight.default
    /// Used only while no other endpoint is up.
    public var backup = Keys.tcpEndpoint.share.backup.default

    /// An endpoint with the default weight, and no backup.
    public init(address: Address, tls: Bool = false) {
        self.address = address
        self.tls = tls
    }

    /// The endpoint, as logs and `explain` show it.
    public var description: String { (self.tls ? "tls://" : "") + self.address.description }

    /// Reads `127.0.0.1:5900`, `tcp://127.0.0.1:5900`, `tls://broker:8883` or `unix:/run/vnc.sock`.
    ///
    /// - Throws: A `Mistake` for anything else.
    init(parsing text: String) throws(Mistake) {
        guard let separator = text.firstRange(of: "://"), !text.hasPrefix("unix:") else {
            self.init(address: try Address(parsing: text, for: .connect))
            return
        }
        func refused(_ hint: String? = nil) -> Mistake {
            .expected(
                "an endpoint such as `127.0.0.1:5900`, `tls://broker:8883` or `unix:/run/vnc.sock`", not: text,
                hint: hint)
        }
        let tls: Bool
        switch text[..<separator.lowerBound].asciiLowercased {
        case "tcp": tls = false
        case "tls": tls = true
        case "ws", "wss": throw refused("that is an endpoint of a `websocket` backend")
        default: throw refused()
        }
        let authority = text[separator.upperBound...]
        guard !authority.hasPrefix("unix:"), !authority.contains("/") else { throw refused("leave the path out") }
        self.init(address: try Address(parsing: String(authority), for: .connect), tls: tls)
    }
}
