internal import Configuration
public import HTTP1

/// A request that is passed to a backend as plain HTTP: everything the later steps need of its head.
public struct PlainRequest: Equatable, Sendable {
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

    static let allowedMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    private static let refusedMethods = ["TRACE", "CONNECT"]

    /// Looks at what the head says of method and body.
    ///
    /// - Parameter bodyLimit: the most bytes of its body; 0: no limit.
    /// - Throws: 400 or 501 if it cannot be known where its body ends, 405 for TRACE and CONNECT, 413 for a body over the limit.
    init(
        _ head: RequestHead, target: RequestTarget, host: Authority, forwarded: ForwardedHeaders, requestID: String?,
        routeIndex: Int, bodyLimit: Int
    ) throws(Refusal) {
        do throws(MessageBody.Failure) {
            self.framing = try MessageBody(ofRequest: head).framing
        } catch {
            throw .badBody(error, routeIndex: routeIndex)
        }
        guard !Self.refusedMethods.contains(head.method) else {
            throw .method(head.method, allowed: Self.allowedMethods, routeIndex: routeIndex)
        }
        self.bodyLimit = bodyLimit == 0 ? .max : bodyLimit
        if case .length(let length) = self.framing, length > self.bodyLimit {
            throw .bodyTooLarge(routeIndex: routeIndex)
        }
        self.routeIndex = routeIndex
        self.method = head.method
        self.target = target
        self.version = head.version
        self.host = host.text
        self.forwarded = forwarded
        self.requestID = requestID
        self.fields = head.fields
    }

    /// There is nothing to read after the head.
    public var hasBody: Bool { self.framing != .none && self.framing != .length(0) }

    /// Sending it twice does no more than sending it once, and there is no body to keep for that (RFC 9110 section 9.2.2).
    public var isRepeatable: Bool { !self.hasBody && ["GET", "HEAD", "OPTIONS"].contains(self.method) }

    /// The client may wait with the body until it is told to send it (RFC 9110 section 10.1.1).
    public var expectsContinue: Bool {
        self.hasBody && self.version == .http11
            && self.fields.hasElement("Expect") { $0.equalsIgnoringCase("100-continue".utf8.span) }
    }

    /// The client wants to go on with this connection (RFC 9112 section 9.3).
    public var keepsClient: Bool { self.version == .http11 && !self.fields.hasConnectionClose }

    /// Passes its body on.
    public var passage: BodyPassage {
        BodyPassage(
            MessageBody(self.framing), after: self.fields,
            of: .client(isTrustedProxy: self.forwarded.isFromTrustedProxy), to: .http11, limit: self.bodyLimit)
    }
}

extension HTTPFields {
    /// The sender ends the connection after this message (RFC 9112 section 9.6).
    var hasConnectionClose: Bool { self.hasElement("Connection") { $0.equalsIgnoringCase("close".utf8.span) } }
}
