internal import Configuration
internal import HTTP1
public import WebSocketProtocol

/// A request to make a message for a room of its body.
public struct PublishRequest: Equatable, Sendable {
    /// The longest `Idempotency-Key`, in bytes.
    public static let longestKey = 256

    let checked: CheckedRequest
    /// Points into `GatewayConfiguration.routes`.
    public let routeIndex: Int
    /// The room that gets it.
    public let room: RoomName
    /// `Idempotency-Key`: the same one publishes nothing a second time; `nil`: there is none.
    public let key: String?
    private let limit: Int

    /// - Throws: 400 for what is no room, and for a key that cannot be one; 413 for a payload over the limit.
    init(_ request: CheckedRequest, on route: RouteSettings, routeIndex: Int) throws(Refusal) {
        self.checked = request
        self.routeIndex = routeIndex
        self.room = try RoomName(of: request.target, on: route.path, routeIndex: routeIndex)
        let keys = request.head.fields.values("Idempotency-Key")
        guard keys.count <= 1, keys.allSatisfy({ (1...Self.longestKey).contains($0.utf8.count) }) else {
            throw Refusal(
                400, "The Idempotency-Key is bad: it is one of 1 to 256 bytes.", routeIndex: routeIndex)
        }
        self.key = keys.first
        self.limit = route.limits.message.rawValue == 0 ? .max : route.limits.message.rawValue
        if case .length(let length) = request.framing, length > self.limit {
            throw .payloadTooLarge(routeIndex: routeIndex)
        }
    }

    /// As routes see it, without the query.
    public var path: String { self.checked.target.path }

    /// `X-Exclude-Session`: the id of a session that does not get the message.
    public var excluded: String? { self.checked.head.fields.first("X-Exclude-Session") }

    /// `CheckedRequest.expectsContinue`
    public var expectsContinue: Bool { self.checked.expectsContinue }

    /// The client wants to go on with this connection (RFC 9112 section 9.3).
    public var keepsClient: Bool {
        self.checked.head.version == .http11 && !self.checked.head.fields.hasConnectionClose
    }

    /// Puts its payload together.
    public var payload: PublishedPayload {
        PublishedPayload(MessageBody(self.checked.framing), atMost: self.limit)
    }

    /// The message with this payload: text, unless its type or its bytes say otherwise.
    public func message(_ payload: [UInt8]) -> Message {
        Message(published: payload, contentType: self.checked.head.fields.first("Content-Type"))
    }
}

extension Message {
    /// - Parameter contentType: `application/octet-stream` is binary, and so is what is not UTF-8. All else is text.
    public init(published payload: [UInt8], contentType: String?) {
        let type = contentType.map { $0.prefix { $0 != ";" && $0 != " " } } ?? ""
        let isBinary = type.equalsIgnoringCase("application/octet-stream")
        var validator = UTF8Validator()
        let isText = !isBinary && validator.consume(payload.span) && validator.isComplete
        self.init(opcode: isText ? .text : .binary, payload: payload)
    }
}
