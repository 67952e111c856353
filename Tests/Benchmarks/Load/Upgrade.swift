internal import HTTP1
internal import WebSocketProtocol

/// The opening handshake of one connection (RFC 6455 section 4.1).
struct Upgrade {
    /// The state of the handshake.
    enum Progress {
        case incomplete
        /// The answer is correct; frames begin after `used` of the bytes given last.
        case done(used: Int)
        case failed(String)
    }

    let request: [UInt8]
    private let accept: String
    private var parser = ResponseHeadParser()
    private var head: [UInt8] = []

    init(_ url: LoadURL, random: inout SplitMix) {
        let bytes = (0..<16).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let key = AcceptKey.makeKey(random: bytes)
        self.accept = AcceptKey.value(for: key)
        let lines = [
            "GET \(url.path) HTTP/1.1", "Host: 127.0.0.1:\(url.port)", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: \(key)", "Sec-WebSocket-Version: 13", "", "",
        ]
        self.request = Array(lines.joined(separator: "\r\n").utf8)
    }

    /// Reads more of the answer.
    mutating func read(_ bytes: Span<UInt8>) -> Progress {
        let before = self.head.count
        for index in bytes.indices { self.head.append(bytes[index]) }
        let head = self.head
        switch self.parser.parse(head.span) {
        case .incomplete: return .incomplete
        case .invalid(let error): return .failed("the answer is no HTTP: \(error)")
        case .head(let head, let length):
            guard head.status == 101 else { return .failed("the answer is \(head.status) \(head.reason)") }
            guard head.fields.isList("Upgrade", of: "websocket"),
                head.fields.hasElement("Connection", where: { $0.equalsIgnoringCase("upgrade".utf8.span) }),
                head.fields.only("Sec-WebSocket-Accept") == .once(self.accept)
            else { return .failed("the 101 does not answer the request") }
            return .done(used: length - before)
        }
    }
}
