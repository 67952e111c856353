internal import HTTP1
internal import WebSocketProtocol

/// The backend's side of its opening handshake (RFC 6455 section 4.1), checked in full before a byte of the client's goes on.
///
/// A proxy that takes any 101 (or a 200) for an upgrade can be made to tunnel to where it should not (CVE-2024-23326,
/// CVE-2019-17567).
struct BackendHandshake: Sendable {
    struct Accepted: Sendable {
        /// Of the head in bytes: what follows it is WebSocket.
        let length: Int
        let subprotocol: String?
        let extensions: String?
        /// permessage-deflate is in force.
        var allowsCompression: Bool { self.extensions != nil }
        let passedFields: HTTPFields
    }

    enum Result: Sendable {
        case incomplete
        case accepted(Accepted)
        /// The backend refuses this client, and this is what it says.
        case refused(Answer)
        /// Not a WebSocket server's answer.
        case bad(String)
    }

    /// The most of a refusal's body that is passed on, in bytes.
    static let longestBody = 64 << 10
    /// 100 and 103 may come first, but not without end.
    private static let mostInterim = 4

    private let accept: String
    private let subprotocols: [String]
    private let requiresSubprotocol: Bool
    private let compressionOffers: [ExtensionOffer]
    private var parser = ResponseHeadParser()
    /// Where the head that is read now begins: behind the interim responses.
    private var headStart = 0
    private var interim = 0
    private var refusal: (head: ResponseHead, body: BodyReader, start: Int)?

    /// - Parameter key: the Sec-WebSocket-Key of our request.
    init(key: String, _ admitted: Admitted) {
        self.accept = AcceptKey.value(for: key)
        self.subprotocols = admitted.subprotocols
        self.requiresSubprotocol = admitted.requiresSubprotocol
        self.compressionOffers = admitted.compressionOffers
    }

    /// - Parameters:
    ///   - bytes: all that has come so far, from the first byte on.
    ///   - atEnd: nothing more will come.
    mutating func received(_ bytes: Span<UInt8>, atEnd: Bool) -> Result {
        while self.refusal == nil {
            switch self.parser.parse(bytes.extracting(self.headStart..<bytes.count)) {
            case .incomplete: return atEnd ? .bad("it ended the connection without an answer") : .incomplete
            case .invalid(let error): return .bad("its answer is not HTTP: \(error)")
            case .head(let head, let length):
                self.headStart += length
                if head.status == 101 { return self.verify(head) }
                if head.status < 200 {
                    self.interim += 1
                    guard self.interim <= Self.mostInterim else { return .bad("too many interim responses") }
                    self.parser = ResponseHeadParser()
                    continue
                }
                guard head.status >= 300 else { return .bad("it answered \(head.status) to an upgrade") }
                do throws(HeadError) {
                    self.refusal = (head, try BodyReader(head, limit: Self.longestBody), self.headStart)
                } catch {
                    return .bad("its refusal is malformed: \(error)")
                }
            }
        }
        return self.readRefusal(bytes, atEnd: atEnd)
    }

    private func verify(_ head: ResponseHead) -> Result {
        guard head.fields.members("upgrade").map(\.asciiLowercased) == ["websocket"] else {
            return .bad("its 101 has no Upgrade: websocket")
        }
        guard head.fields.members("connection").map(\.asciiLowercased).contains("upgrade") else {
            return .bad("its 101 has no Connection: Upgrade")
        }
        guard head.fields.values("sec-websocket-accept") == [self.accept] else {
            return .bad("its 101 has a wrong Sec-WebSocket-Accept")
        }
        let picks = head.fields.values("sec-websocket-protocol")
        guard picks.count <= 1, picks.allSatisfy({ self.subprotocols.contains($0) }) else {
            return .bad("its 101 picks a subprotocol that was not offered")
        }
        guard !picks.isEmpty || !self.requiresSubprotocol else { return .bad("its 101 picks no subprotocol, and one is required") }
        let answer = head.fields.values("sec-websocket-extensions")
        guard let extensions = answer.isEmpty ? [] : ExtensionOffer.parse(answer),
            extensions.isEmpty || PermessageDeflate.accepts(answer: extensions, offers: self.compressionOffers)
        else { return .bad("its 101 has an extension that was not offered") }
        return .accepted(
            Accepted(
                length: self.headStart, subprotocol: picks.first,
                extensions: extensions.isEmpty ? nil : ExtensionOffer.render(extensions),
                passedFields: PassedFields.ofResponse(head.fields)))
    }

    private func readRefusal(_ bytes: Span<UInt8>, atEnd: Bool) -> Result {
        guard let (head, body, start) = self.refusal else { return .incomplete }
        switch body.read(bytes.extracting(start..<bytes.count), atEnd: atEnd) {
        case .incomplete: return .incomplete
        case .invalid(let error): return .bad("its refusal is malformed: \(error)")
        case .whole(let content):
            let fields = PassedFields.ofResponse(head.fields)
            return .refused(Answer(status: head.status, reason: head.reason, fields: fields, body: content))
        }
    }
}
