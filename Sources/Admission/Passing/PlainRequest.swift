internal import Configuration
public import HTTP1

/// A request that is passed to a backend as plain HTTP: everything the later steps need of its head.
public struct PlainRequest: Equatable, Sendable {
    let checked: CheckedRequest
    /// Points into `GatewayConfiguration.routes`.
    public let routeIndex: Int
    private let bodyLimit: Int
    /// What its credential gives to the backend.
    var grantedFields = HTTPFields()

    /// - Parameter limit: the most bytes of its body; 0: no limit.
    /// - Throws: 413 for a body over the limit.
    init(
        _ request: CheckedRequest, routeIndex: Int, bodyLimit limit: ByteCount
    ) throws(Refusal) {
        self.checked = request
        self.routeIndex = routeIndex
        self.bodyLimit = limit.rawValue == 0 ? .max : limit.rawValue
        if case .length(let length) = self.framing, length > self.bodyLimit {
            throw .bodyTooLarge(routeIndex: routeIndex)
        }
    }

    /// The plain GET that an upgrade also is (RFC 9110 section 7.8): the backend's refusal answers it.
    public init(_ upgrade: Admitted) {
        self.checked = upgrade.request
        self.routeIndex = upgrade.routeIndex
        self.bodyLimit = 0
        self.grantedFields = upgrade.grantedFields
    }

    /// The head, without tokens.
    public var head: RequestHead { self.checked.head }
    /// As sent; neither TRACE nor CONNECT.
    public var method: String { self.checked.head.method }
    /// Path and query, normalised and as sent.
    public var target: RequestTarget { self.checked.target }
    /// The client's. HTTP/1.0 has no chunks, no interim answers, and one request a connection.
    public var version: HTTPVersion { self.checked.head.version }
    /// What ends its body.
    public var framing: MessageBody.Framing { self.checked.framing }
    /// All fields of the request, as sent.
    var fields: HTTPFields { self.checked.head.fields }

    /// There is something to read after the head.
    public var hasBody: Bool { self.framing.hasBytes }

    /// Sending it twice does no more than sending it once, and there is no body to keep for that (RFC 9110 section 9.2.2).
    public var isRepeatable: Bool {
        switch self.method {
        case "GET", "HEAD", "OPTIONS": !self.hasBody
        default: false
        }
    }

    /// The client may wait with the body until it is told to send it (RFC 9110 section 10.1.1).
    public var expectsContinue: Bool {
        self.hasBody && self.version == .http11
            && self.fields.hasElement("Expect") { $0.equalsIgnoringCase("100-continue".utf8.span) }
    }

    /// The client wants to go on with this connection (RFC 9112 section 9.3).
    public var keepsClient: Bool { self.version == .http11 && !self.fields.hasConnectionClose }

    /// The client came by https, to us or to a trusted proxy.
    public var isSecure: Bool { self.checked.forwarded.isSecure }

    /// The endpoint that the request asks for.
    ///
    /// - Parameter client: the client's address, as text.
    public func placement(by rule: PlacementRule, client: @autoclosure () -> String) -> Placement {
        rule.placement(self.fields, self.target, client: client())
    }

    /// Passes its body on.
    public var passage: BodyPassage {
        BodyPassage(
            MessageBody(self.framing), after: self.fields,
            of: .client(isTrustedProxy: self.checked.forwarded.isFromTrustedProxy), to: .http11, limit: self.bodyLimit)
    }
}
