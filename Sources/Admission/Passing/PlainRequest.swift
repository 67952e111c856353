internal import Configuration
public import HTTP1

/// A request that is passed to a backend as plain HTTP: everything the later steps need of its head.
public struct PlainRequest: RoutedRequest, Equatable, Sendable {
    /// Points into `GatewayConfiguration.routes`.
    public let routeIndex: Int
    /// As sent; neither TRACE nor CONNECT.
    public let method: String
    /// Path and query, normalised and as sent.
    public let target: RequestTarget
    /// The client's. HTTP/1.0 has no chunks, no interim answers, and one request a connection.
    public let version: HTTPVersion
    /// What ends its body.
    public let framing: MessageBody.Framing
    /// The Host field as sent, without an empty port.
    let host: String
    let forwarded: ForwardedHeaders
    /// What a trusted proxy calls the request.
    let requestID: String?
    /// All fields of the request, as sent.
    let fields: HTTPFields
    private let bodyLimit: Int

    /// - Parameter limit: the most bytes of its body; 0: no limit.
    /// - Throws: 413 for a body over the limit.
    init(
        _ request: CheckedRequest, host: Authority, routeIndex: Int, bodyLimit limit: ByteCount
    ) throws(Refusal) {
        self.framing = request.framing
        self.bodyLimit = limit.rawValue == 0 ? .max : limit.rawValue
        if case .length(let length) = self.framing, length > self.bodyLimit {
            throw .bodyTooLarge(routeIndex: routeIndex)
        }
        self.routeIndex = routeIndex
        self.method = request.head.method
        self.target = request.target
        self.version = request.head.version
        self.host = host.text
        self.forwarded = request.forwarded
        self.requestID = ForwardedHeaders.requestID(of: request.head.fields, request.hops.arrival)
        self.fields = request.head.fields
    }

    /// The plain GET that an upgrade also is (RFC 9110 section 7.8): the backend's refusal answers it.
    public init(_ upgrade: Admitted) {
        self.framing = .none
        self.bodyLimit = 0
        self.routeIndex = upgrade.routeIndex
        self.method = "GET"
        self.target = upgrade.target
        self.version = .http11
        self.host = upgrade.host
        self.forwarded = upgrade.forwarded
        self.requestID = upgrade.requestID
        self.fields = upgrade.fields
    }

    /// There is something to read after the head.
    public var hasBody: Bool { self.framing.hasBytes }

    /// Sending it twice does no more than sending it once, and there is no body to keep for that (RFC 9110 section 9.2.2).
    public var isRepeatable: Bool { !self.hasBody && ["GET", "HEAD", "OPTIONS"].contains(self.method) }

    /// The client may wait with the body until it is told to send it (RFC 9110 section 10.1.1).
    public var expectsContinue: Bool {
        self.hasBody && self.version == .http11
            && self.fields.hasElement("Expect") { $0.equalsIgnoringCase("100-continue".utf8.span) }
    }

    /// The client wants to go on with this connection (RFC 9112 section 9.3).
    public var keepsClient: Bool { self.version == .http11 && !self.fields.hasConnectionClose }

    /// The client came by https, to us or to a trusted proxy.
    public var isSecure: Bool { self.forwarded.isSecure }

    /// The endpoint that the request asks for.
    ///
    /// - Parameter client: the client's address, as text.
    public func placement(by rule: PlacementRule, client: String) -> Placement {
        rule.placement(self.fields, self.target, client: client)
    }

    /// Passes its body on.
    public var passage: BodyPassage {
        BodyPassage(
            MessageBody(self.framing), after: self.fields,
            of: .client(isTrustedProxy: self.forwarded.isFromTrustedProxy), to: .http11, limit: self.bodyLimit)
    }
}
