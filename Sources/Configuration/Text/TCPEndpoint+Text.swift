extension TCPEndpoint {
    /// Reads `127.0.0.1:5900`, `tcp://127.0.0.1:5900`, `tls://broker:8883` or `unix:/run/vnc.sock`.
    ///
    /// - Throws: A `Mistake` for anything else.
    package init(parsing text: String) throws(Mistake) {
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
        switch text[..<separator.lowerBound].lowercased() {
        case "tcp": tls = false
        case "tls": tls = true
        case "ws", "wss": throw refused("that is an endpoint of a `websocket` backend")
        default: throw refused()
        }
        let authority = text[separator.upperBound...]
        guard !authority.hasPrefix("unix:"), !authority.contains("/") else { throw refused("without a path") }
        self.init(address: try Address(parsing: String(authority), for: .connect), tls: tls)
    }
}
