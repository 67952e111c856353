internal import Credentials
public import HTTP1
public import WebSocketProtocol

/// The client's side of an opening handshake with a backend (RFC 6455 section 4.1): reads what the backend sends, and
/// says whether it accepts the upgrade.
///
/// Only a complete and correct 101 is an upgrade. A final status of 300 to 599 is the backend's refusal, which is
/// passed on; anything else is an error. With `passesRefusals` every final status but 101 is a refusal.
public struct BackendHandshake: Sendable {
    /// What a backend agreed to.
    public struct Accepted: Equatable, Sendable {
        /// How many bytes of the last call belong to the handshake; those after them are frames.
        public var length: Int
        /// The subprotocol that the backend picked, one of those offered; `nil`: none.
        public var subprotocol: String?
        /// The value of `Sec-WebSocket-Extensions` for the client.
        public var extensions: String?
        /// Messages may be compressed: RSV1 may be set.
        public var allowsCompression: Bool
        /// Fields of the backend for the client, such as `Set-Cookie`.
        public var passedFields: HTTPFields
    }

    /// What the bytes so far amount to.
    public enum Outcome: Equatable, Sendable {
        /// The answer goes on.
        case incomplete
        /// A correct 101 (RFC 6455 section 4.1).
        case accepted(Accepted)
        /// The backend's own answer, for the client. The connection cannot be used again.
        case refused(Answer)
        /// The backend's own answer, with `passesRefusals`: the bytes from its head on, as far as they came. More may follow.
        case passed(status: Int, [UInt8])
        /// The client gets 502; the text is for the log.
        case bad(String)
    }

    private enum State {
        case head
        case refusalBody(ResponseHead, BodyReader)
        case finished(Outcome)
    }

    private let key: String
    private let offeredSubprotocols: [String]
    private let requiresSubprotocol: Bool
    private let compressionOffers: [ExtensionElement]
    private let limits: HeadLimits
    private let passesRefusals: Bool
    private var state = State.head
    private var parser: ResponseHeadParser
    /// What was received of the head being read.
    private var buffer: [UInt8] = []
    private var interimHeads = 0
    /// Whether any byte came from the backend.
    public private(set) var hasReceived = false

    private static let mostInterimHeads = 8

    /// - Parameters:
    ///   - key: the `Sec-WebSocket-Key` that was sent.
    ///   - offeredSubprotocols: those that were sent.
    ///   - requiresSubprotocol: an answer without one is an error.
    ///   - compressionOffers: the `permessage-deflate` offers that were sent.
    ///   - passesRefusals: the answer is one to a plain request, too: a refusal is passed on whole, whatever its status.
    public init(
        key: String, offeredSubprotocols: [String] = [], requiresSubprotocol: Bool = false,
        compressionOffers: [ExtensionElement] = [], passesRefusals: Bool = false
    ) {
        self.key = key
        self.offeredSubprotocols = offeredSubprotocols
        self.requiresSubprotocol = requiresSubprotocol
        self.compressionOffers = compressionOffers
        self.passesRefusals = passesRefusals
        self.limits = passesRefusals ? .passed : HeadLimits()
        self.parser = ResponseHeadParser(limits: self.limits)
    }

    /// The backend refuses, and its body is not complete. After a deadline `receivedEOF()` returns what there is of it.
    public var isReadingRefusal: Bool {
        if case .refusalBody = self.state { true } else { false }
    }

    /// Takes the bytes that follow those of the last call. Any outcome but `.incomplete` is the last one.
    public mutating func received(_ bytes: Span<UInt8>) -> Outcome {
        self.hasReceived = true
        switch self.state {
        case .finished(let outcome): return outcome
        case .refusalBody(let head, var body):
            return self.readBody(head, &body, bytes)
        case .head:
            self.buffer.append(contentsOf: bytes)
            return self.readHead(lastCall: bytes.count)
        }
    }

    /// The backend will send no more.
    public mutating func receivedEOF() -> Outcome {
        switch self.state {
        case .finished(let outcome): return outcome
        case .refusalBody(let head, let body): return self.finish(.refused(Self.answer(head, body.body)))
        case .head: return self.finish(.bad("it closed the connection before it answered"))
        }
    }

    private mutating func readHead(lastCall: Int) -> Outcome {
        while true {
            let head: ResponseHead
            let length: Int
            let buffer = self.buffer
            switch self.parser.parse(buffer.span) {
            case .incomplete: return .incomplete
            case .invalid(let error): return self.finish(.bad("a malformed answer: \(error.detail)"))
            case .head(let parsed, let parsedLength): (head, length) = (parsed, parsedLength)
            }
            // The end of the head is in the last call's bytes, or it would have been found before.
            let rest = Array(buffer[length...])
            switch head.status {
            case 101: return self.finish(self.verify(head, length: lastCall - rest.count))
            case 100..<200:
                self.interimHeads += 1
                guard self.interimHeads <= Self.mostInterimHeads else {
                    return self.finish(.bad("too many interim answers"))
                }
                self.buffer = rest
                self.parser = ResponseHeadParser(limits: self.limits)
            case let status where self.passesRefusals: return self.finish(.passed(status: status, buffer))
            case 300..<600:
                self.buffer = []
                var body = BodyReader(head: head)
                return self.readBody(head, &body, rest.span)
            default: return self.finish(.bad("it answered \(head.status), not 101"))
            }
        }
    }

    private mutating func readBody(_ head: ResponseHead, _ body: inout BodyReader, _ bytes: Span<UInt8>) -> Outcome {
        switch body.received(bytes) {
        case .incomplete:
            self.state = .refusalBody(head, body)
            return .incomplete
        case .complete: return self.finish(.refused(Self.answer(head, body.body)))
        case .invalid(let error): return self.finish(.bad("a \(head.status) with a broken body: \(error)"))
        }
    }

    private mutating func finish(_ outcome: Outcome) -> Outcome {
        self.state = .finished(outcome)
        self.buffer = []
        return outcome
    }

    private static func answer(_ head: ResponseHead, _ body: [UInt8]) -> Answer {
        Answer(
            status: head.status, reason: head.reason, fields: head.fields.passing(FieldFilter(refusal: head.fields)),
            body: body)
    }
}

// MARK: - The 101

extension BackendHandshake {
    /// Checks what RFC 6455 section 4.1 demands of a 101. The head ends after `length` bytes of the last call.
    private func verify(_ head: ResponseHead, length: Int) -> Outcome {
        guard head.version == .http11 else { return .bad("a 101 in HTTP/1.0") }
        if let fault = Self.upgradeFault(head.fields) ?? Self.connectionFault(head.fields)
            ?? self.acceptFault(head.fields)
        {
            return .bad("a 101 \(fault)")
        }
        var accepted = Accepted(
            length: length, subprotocol: nil, extensions: nil, allowsCompression: false,
            passedFields: head.fields.passing(FieldFilter(answer: head.fields)))
        switch head.fields.only("Sec-WebSocket-Protocol") {
        case .absent:
            guard !self.requiresSubprotocol else { return .bad("a 101 without the subprotocol that is required") }
        case .repeated: return .bad("a 101 with more than one subprotocol")
        case .once(let name):
            guard self.offeredSubprotocols.contains(name) else {
                // The name may contain a credential that was offered.
                let isSecret = !SubprotocolCredential.all(in: self.offeredSubprotocols).isEmpty
                let several = HeaderTokens.subprotocols([name]).map { $0.count > 1 } ?? false
                let what = several ? "more than one subprotocol" : "a subprotocol that was not offered"
                return .bad("a 101 with \(what)\(isSecret ? "" : ": \(shown(name))")")
            }
            accepted.subprotocol = name
        }
        let extensions = head.fields.values("Sec-WebSocket-Extensions")
        if !extensions.isEmpty {
            let shownList = shown(extensions.joined(separator: ","))
            guard let answer = ExtensionElement.parse(extensions) else {
                return .bad("a 101 with a malformed Sec-WebSocket-Extensions: \(shownList)")
            }
            guard PermessageDeflate.accepts(answer: answer, offers: self.compressionOffers) else {
                return .bad("a 101 with extensions that were not offered: \(shownList)")
            }
            accepted.extensions = ExtensionElement.render(answer)
            accepted.allowsCompression = true
        }
        return .accepted(accepted)
    }

    // What is wrong with a field that every 101 has, in words that follow "a 101".

    private static func upgradeFault(_ fields: HTTPFields) -> String? {
        guard !fields.isList("Upgrade", of: "websocket") else { return nil }
        let protocols = fields.elements("Upgrade")
        switch (fields.values("Upgrade").count, protocols.count) {
        case (0, _): return "without Upgrade: websocket"
        case (_, 0): return "with an empty Upgrade"
        case (1, 1): return "with Upgrade: \(shown(protocols[0])), not websocket"
        case (1, _): return "with more than one protocol in Upgrade: \(shown(protocols.joined(separator: ",")))"
        case (let count, _): return "with \(count) Upgrade fields: \(shown(protocols.joined(separator: ",")))"
        }
    }

    private static func connectionFault(_ fields: HTTPFields) -> String? {
        guard !fields.offers("upgrade", in: "Connection") else { return nil }
        let values = fields.values("Connection")
        guard !values.isEmpty else { return "without Connection: Upgrade" }
        let all = shown(values.joined(separator: ","))
        return HeaderTokens.parse(values) == nil
            ? "with a malformed Connection: \(all)" : "with Connection: \(all), not Upgrade"
    }

    private func acceptFault(_ fields: HTTPFields) -> String? {
        switch fields.only("Sec-WebSocket-Accept") {
        case .absent: "without Sec-WebSocket-Accept"
        case .repeated: "with \(fields.values("Sec-WebSocket-Accept").count) Sec-WebSocket-Accept fields"
        case .once(AcceptKey.value(for: self.key)): nil
        case .once: "with a wrong Sec-WebSocket-Accept"
        }
    }
}
