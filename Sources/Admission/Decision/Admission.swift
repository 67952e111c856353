public import Configuration
public import HTTP1
internal import WebSocketProtocol

/// Decides what a request leads to: the whole table of answers that the head alone determines.
///
/// The first of these that holds is the answer:
///
/// 1. 400: Host missing, repeated or malformed; a target that is not a path, or is ambiguous; Origin, Key or Version repeated; an Origin of
///    more than 512 bytes; a Transfer-Encoding; a Content-Length that is repeated, not a number, or more than 0 on a GET or HEAD.
/// 2. 405: `OPTIONS *`. 404: no route for this host and path; 400 for a path with a `%2F`, unless its route keeps those.
/// 3. 405: a method other than GET (for a page: GET and HEAD). A page is served here, and the rest of the request is not looked at.
/// 4. 426: no `Upgrade: websocket` and `Connection: Upgrade`; then 426 for a version other than 13.
/// 5. 400: the key is missing or bad; subprotocols or extensions offered in a malformed list.
/// 6. 403: the route does not let this Origin in, or demands one.
/// 7. 400: the route requires a subprotocol and none offered fits.
public enum Admission {
    /// Decides on a whole head. Pure: the same for a request and for `gateway explain`.
    public static func decide(_ head: RequestHead, _ hops: Hops, _ routes: RouteTable) -> Decision {
        do throws(Refusal) {
            return try self.admit(head, hops, routes)
        } catch {
            var refusal = error
            refusal.isToHead = head.method == "HEAD"
            return .refused(refusal)
        }
    }

    private static func admit(_ head: RequestHead, _ hops: Hops, _ routes: RouteTable) throws(Refusal) -> Decision {
        let host = try self.host(of: head)
        let origin = try self.origin(of: head)
        let key = try self.single("Sec-WebSocket-Key", in: head)
        let version = try self.single("Sec-WebSocket-Version", in: head)
        try self.checkBody(of: head)
        let target = try self.target(of: head, host)

        let forwarded = ForwardedHeaders(hops, host: host)
        guard let index = routes.match(host: forwarded.host.host, path: target.path) else {
            throw target.hasEncodedSlash ? .encodedSlash(nil) : .notServed(target, head, host, hops.arrival, routes)
        }
        let route = routes.routes[index]
        guard !target.hasEncodedSlash || route.encodedSlashes == .keep else { throw .encodedSlash(index) }
        if case .page(let page) = routes.service(of: index) {
            try self.checkMethod(of: head, allowed: ["GET", "HEAD"], index)
            return .page(page, routeIndex: index, host: forwarded.host.host, headOnly: head.method == "HEAD")
        }
        try self.checkMethod(of: head, allowed: ["GET"], index)
        try self.checkUpgrade(head, version: version, index)
        guard let key else { throw Refusal(400, "The Sec-WebSocket-Key is missing.", routeIndex: index) }
        guard AcceptKey.isValidKey(key) else {
            throw Refusal(400, "The Sec-WebSocket-Key is bad: it has to be 16 bytes in base64.", routeIndex: index)
        }
        let offered = try self.subprotocols(of: head, index)
        let extensions = try self.extensions(of: head, index)

        guard OriginCheck.passes(route, origin: origin, host: forwarded.place, schemes: forwarded.schemes) else {
            throw .origin(origin, head, host, forwarded, hops.arrival, route, routeIndex: index)
        }
        let choice = SubprotocolChoice(route)
        let offers = choice.offers(from: offered)
        let pick = choice.pick(from: offered)
        if choice.isRequired {
            let isServed = routes.service(of: index) == .relay ? !offers.isEmpty : pick != nil
            guard isServed else { throw Refusal.subprotocolRequired(route.subprotocols, routeIndex: index) }
        }
        return .upgrade(
            Admitted(
                routeIndex: index, key: key, target: target, host: host.text, origin: origin,
                offeredSubprotocols: offered, subprotocols: offers, subprotocol: pick,
                requiresSubprotocol: choice.isRequired,
                compressionOffers: route.compression == .off ? [] : PermessageDeflate.offers(in: extensions),
                forwarded: forwarded, requestID: ForwardedHeaders.requestID(of: head.fields, hops.arrival),
                fields: head.fields))
    }

    // MARK: - On every route

    private static func host(of head: RequestHead) throws(Refusal) -> Authority {
        switch head.fields.only("Host") {
        case .absent: throw Refusal(400, "Malformed request: the Host is missing.")
        case .repeated: throw Refusal(400, "Malformed request: more than one Host.")
        case .once(let text):
            guard let host = Authority(text) else { throw Refusal(400, "Malformed request: a bad Host.") }
            return host
        }
    }

    private static func target(of head: RequestHead, _ host: Authority) throws(Refusal) -> RequestTarget {
        // This asks about the server as a whole (RFC 9110 section 9.3.7).
        guard head.method != "OPTIONS" || head.target != "*" else { throw .method(head.method, allowed: ["GET"]) }
        do {
            return try RequestTarget(head.target, host: host)
        } catch {
            throw Refusal(error)
        }
    }

    /// The longest Origin that is read, in bytes. A host name has at most 253, and there is little else in an Origin.
    private static let longestOrigin = 512

    private static func origin(of head: RequestHead) throws(Refusal) -> String? {
        guard let origin = try self.single("Origin", in: head) else { return nil }
        guard origin.utf8.count <= self.longestOrigin else {
            throw Refusal(400, "Malformed request: an Origin of more than \(String(self.longestOrigin)) bytes.")
        }
        return origin
    }

    /// The value of a field that may occur only once.
    private static func single(_ name: String, in head: RequestHead) throws(Refusal) -> String? {
        switch head.fields.only(name) {
        case .absent: return nil
        case .once(let value): return value
        case .repeated: throw Refusal(400, "Malformed request: more than one \(name).")
        }
    }

    /// A request must not have a body: the bytes behind the head would be read as frames.
    private static func checkBody(of head: RequestHead) throws(Refusal) {
        guard !head.fields.has("Transfer-Encoding") else {
            throw Refusal(400, "Malformed request: a Transfer-Encoding.")
        }
        guard let length = try self.single("Content-Length", in: head) else { return }
        guard !length.isEmpty, length.utf8.allSatisfy(\.isDigit) else {
            throw Refusal(400, "Malformed request: a bad Content-Length.")
        }
        let isEmpty = length.utf8.allSatisfy { $0 == UInt8(ascii: "0") }
        guard isEmpty || !["GET", "HEAD"].contains(head.method) else {
            throw Refusal(400, "Malformed request: a body.")
        }
    }

    // MARK: - On a route

    private static func checkMethod(of head: RequestHead, allowed: [String], _ index: Int) throws(Refusal) {
        guard !allowed.contains(head.method) else { return }
        throw .method(head.method, allowed: allowed, routeIndex: index)
    }

    private static func checkUpgrade(_ head: RequestHead, version: String?, _ index: Int) throws(Refusal) {
        guard head.fields.offers("websocket", in: "Upgrade"), head.fields.offers("upgrade", in: "Connection") else {
            throw Refusal(
                426, "This is a WebSocket address.", cure: "Connect with a WebSocket client (ws:// or wss://).",
                routeIndex: index)
        }
        guard version == "13" else {
            throw Refusal(
                426,
                version.map { "The WebSocket version \(peer: $0) is not spoken here." }
                    ?? "The WebSocket version is missing and is not spoken here.",
                cure: "Use version 13.", fields: ["Sec-WebSocket-Version": "13"], routeIndex: index)
        }
    }

    private static func subprotocols(of head: RequestHead, _ index: Int) throws(Refusal) -> [String] {
        let values = head.fields.values("Sec-WebSocket-Protocol")
        guard !values.isEmpty else { return [] }
        guard let names = HeaderTokens.subprotocols(values) else {
            throw Refusal(400, "The Sec-WebSocket-Protocol is malformed.", routeIndex: index)
        }
        return names
    }

    private static func extensions(of head: RequestHead, _ index: Int) throws(Refusal) -> [ExtensionElement] {
        let values = head.fields.values("Sec-WebSocket-Extensions")
        guard !values.isEmpty else { return [] }
        guard let offers = ExtensionElement.parse(values) else {
            throw Refusal(400, "The Sec-WebSocket-Extensions are malformed.", routeIndex: index)
        }
        return offers
    }
}

extension Refusal {
    /// The method is not among those that the address has.
    static func method(_ method: String, allowed: [String], routeIndex: Int? = nil) -> Refusal {
        Refusal(
            405, "The method \(peer: method) is not allowed here.", fields: ["Allow": allowed.joined(separator: ", ")],
            routeIndex: routeIndex)
    }

    fileprivate static func encodedSlash(_ routeIndex: Int?) -> Refusal {
        var refusal = Refusal(400, "Malformed request: a %2F in the path.", routeIndex: routeIndex)
        if routeIndex != nil { refusal.cure = "Let the route have `encoded-slashes: keep`." }
        return refusal
    }

    fileprivate static func subprotocolRequired(_ allowed: [String]?, routeIndex: Int) -> Refusal {
        let cure = allowed.map { "Offer one of: \($0.joined(separator: ", "))." } ?? "Offer one."
        return Refusal(400, "This route requires a subprotocol.", cure: cure, routeIndex: routeIndex)
    }
}

extension Admission {
    /// What a request's head leads to.
    public enum Decision: Equatable, Sendable {
        /// The request may become a session, if its backend agrees.
        case upgrade(Admitted)
        /// A page that the gateway has built in. `host` is the one that was asked for (as `Authority.host`); `headOnly`: the request is
        /// a HEAD.
        case page(BuiltinPage, routeIndex: Int, host: String, headOnly: Bool)
        /// The client gets the answer in it, and the connection is closed.
        case refused(Refusal)
    }
}
