public import Configuration
internal import Credentials
public import HTTP1

/// Decides what a request leads to: the whole table of answers that the head alone determines.
///
/// The first of these that holds is the answer:
///
/// 1. 400: Host missing, repeated or malformed; Origin, Key or Version repeated; an Origin of more than 512 bytes; a Content-Length that is
///    repeated, not a number or beside a Transfer-Encoding; a bad Transfer-Encoding; either with an upgrade (but `Content-Length: 0`). 501:
///    another transfer coding than chunked. Then 400: a target that is not a path, or is ambiguous; but 405: `OPTIONS *`.
/// 2. 404: no route for this scheme, host and path. 400 for a path with a `%2F`, unless its route keeps those.
/// 3. 400: HTTP/1.0, unless the route serves plain HTTP; no Host, unless it has an `answer` or a page. 403: the route's `allow` does not have
///    the client's address.
/// 4. On a route with a page, an `answer`, a `redirect` or `files`: 405 for a method that it does not take, else that, also for an upgrade. With
///    `files` beside a backend an upgrade goes on below.
///    With `publish`: 405 for another method than POST, 403 for an Origin that the route does not let in, 400 for what is no room or no key, 413
///    for a payload over `limits.message`; else it is published.
/// 5. On a route with `http: pass`, for all but an upgrade: 405 for TRACE and CONNECT, 413 for a body over `limits.body`, else passed on.
///    On a route to rooms, for a GET that accepts `text/event-stream`: 403 for an Origin that the route does not let in, 400 as in 10, else events.
/// 6. 405: a method other than GET. 426: no upgrade; then 426 for a version other than 13.
/// 7. 400: the key is missing or bad; subprotocols or extensions offered in a malformed list.
/// 8. 403: the route does not let this Origin in, or demands one.
/// 9. 400: the route requires a subprotocol and none offered fits.
/// 10. On a route to `tokens`: 400 for a repeated token, 404 without one. Whether there is such a token is looked up then. On a route to rooms:
///     400 for what cannot be a room's name, or no place in its history.
///
/// Where the route has `auth`, and is no `redirect`, a token among the subprotocols is looked for first (400 if there is nothing beside it), and
/// what follows does not see it. What the request shows is looked at last:
///
/// 11. 401: no credential, or one that cannot be read; 403: no certificate, where only that would do; 302 in place of the 401 for a page, with
///     `sign-in`. Else what was decided depends on what the credential is worth (`Demand`).
public enum Admission {
    /// Decides on a whole head. Pure: the same for a request and for `gateway explain`.
    ///
    /// - Parameter hasCertificate: The client has shown a certificate, and it was verified.
    public static func decide(
        _ head: RequestHead, _ hops: consuming Hops, _ routes: RouteTable, hasCertificate: Bool = false
    ) -> Decision {
        do throws(Refusal) {
            return try self.admitOrRefuse(try CheckedRequest(head, hops), routes, hasCertificate)
        } catch {
            var refusal = error
            refusal.isToHead = head.method == "HEAD"
            return .refused(refusal)
        }
    }

    /// - Throws: the refusal, which says whether the connection is kept.
    private static func admitOrRefuse(
        _ request: CheckedRequest, _ routes: RouteTable, _ hasCertificate: Bool
    ) throws(Refusal) -> Decision {
        do throws(Refusal) {
            let index = try self.route(of: request, routes)
            guard let credentials = routes.credentials(of: index) else {
                return try self.serve(request, routes, index)
            }
            let cleaned = try CheckedRequest(request, without: credentials, index)
            let decision = try self.serve(cleaned, routes, index)
            let shown = credentials.shown(
                fields: request.head.fields, target: request.head.target, hasCertificate: hasCertificate)
            return try Demand(shown, credentials, by: cleaned, routes, index).decision(decision)
        } catch {
            var refusal = error
            let isServed = refusal.routeIndex.map { routes.keepsClients($0) } ?? routes.keepsClients
            refusal.keepsClient = isServed && request.keepsClient && refusal.isAboutThisRequestAlone
            throw refusal
        }
    }

    /// What the rules of a route make of a request, besides those of credentials.
    private static func serve(
        _ request: CheckedRequest, _ routes: RouteTable, _ index: Int
    ) throws(Refusal) -> Decision {
        let headOnly = request.head.method == "HEAD"
        switch routes.service(of: index) {
        case .page(let page):
            try self.checkMethod(of: request, allowed: ["GET", "HEAD"], index)
            let (host, scheme) = (request.forwarded.host.host, request.forwarded.scheme)
            return .page(page, routeIndex: index, host: host, scheme: scheme, headOnly: headOnly)
        case .answer(let answer):
            try self.checkPlainMethod(of: request, index)
            // A 426 ends the connection (RFC 9110 section 15.5.22 has the client begin anew, with an upgrade).
            let keepsClient = request.keepsClient && answer.status != 426
            return .answer(answer, routeIndex: index, headOnly: headOnly, keepsClient: keepsClient)
        case .redirect(let settings):
            try self.checkPlainMethod(of: request, index)
            let answer = Answer.redirect(settings, host: request.forwarded.host, target: request.target)
            return .answer(answer, routeIndex: index, headOnly: headOnly, keepsClient: request.keepsClient)
        case .files: return try self.file(request, routes, index)
        case .publish: return try self.publish(request, routes, index)
        case .relay, .terminated:
            if routes.hasRooms(index), EventsRequest.isAsked(by: request) {
                // Browsers send no Origin to where the page is from.
                if request.origin != nil { try self.checkOrigin(of: request, routes.routes[index], index) }
                return .events(try EventsRequest(request, on: routes.routes[index], routeIndex: index))
            }
            if !request.isUpgrade, case .files = routes.routes[index].action {
                return try self.file(request, routes, index)
            }
            guard routes.routes[index].http == .pass, !request.isUpgrade else {
                return .upgrade(try self.upgrade(request, routes, index))
            }
            return try self.pass(request, routes, index)
        }
    }

    // MARK: - The route

    private static func route(of request: CheckedRequest, _ routes: RouteTable) throws(Refusal) -> Int {
        let (target, forwarded) = (request.target, request.forwarded)
        let index = routes.match(forwarded.scheme, host: forwarded.host.host, path: target.path)
        guard let index else {
            guard request.head.version == .http11, let host = request.host else { throw .version(nil) }
            throw target.hasEncodedSlash ? .encodedSlash(nil) : .notServed(request, on: host, routes)
        }
        guard !target.hasEncodedSlash || routes.routes[index].encodedSlashes == .keep else {
            throw .encodedSlash(index)
        }
        guard request.head.version == .http11 || routes.servesPlainHTTP(index) else { throw .version(index) }
        guard request.host != nil || !routes.needsHost(index) else { throw .hostMissing(routeIndex: index) }
        guard routes.routes[index].allow.allows(request.forwarded.client) else {
            throw .address(request, routes.routes[index], routeIndex: index)
        }
        return index
    }

    static func checkMethod(of request: CheckedRequest, allowed: [String], _ index: Int) throws(Refusal) {
        guard !allowed.contains(request.head.method) else { return }
        throw .method(request.head.method, allowed: allowed, routeIndex: index)
    }

    // MARK: - Plain HTTP

    /// Where all methods are taken, but those that are about the way of a request and not about what it asks for.
    private static func checkPlainMethod(of request: CheckedRequest, _ index: Int) throws(Refusal) {
        guard request.head.method == "TRACE" || request.head.method == "CONNECT" else { return }
        throw .method(
            request.head.method, allowed: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
            routeIndex: index)
    }

    private static func file(
        _ request: CheckedRequest, _ routes: RouteTable, _ index: Int
    ) throws(Refusal) -> Decision {
        try self.checkMethod(of: request, allowed: ["GET", "HEAD"], index)
        let route = routes.routes[index]
        guard case .files(let files, _) = route.action else { throw .upgradeRequired(routeIndex: index) }
        return .files(FileRequest(request, files, on: route.path, routeIndex: index))
    }

    private static func publish(
        _ request: CheckedRequest, _ routes: RouteTable, _ index: Int
    ) throws(Refusal) -> Decision {
        try self.checkMethod(of: request, allowed: ["POST"], index)
        try self.checkOrigin(of: request, routes.routes[index], index)
        return .publish(try PublishRequest(request, on: routes.routes[index], routeIndex: index))
    }

    /// Whether the route lets the page in that sends the request.
    static func checkOrigin(
        of request: CheckedRequest, _ route: RouteSettings, _ index: Int
    ) throws(Refusal) {
        let (forwarded, origin, host) = (request.forwarded, request.origin, request.host ?? .none)
        guard !OriginCheck.passes(route, origin: origin, host: forwarded.place, schemes: forwarded.schemes) else {
            return
        }
        throw .origin(origin, request.head, host, forwarded, request.arrival, route, routeIndex: index)
    }

    private static func pass(
        _ request: CheckedRequest, _ routes: RouteTable, _ index: Int
    ) throws(Refusal) -> Decision {
        try self.checkPlainMethod(of: request, index)
        return .pass(try PlainRequest(request, routeIndex: index, bodyLimit: routes.routes[index].limits.body))
    }
}

extension RouteTable {
    /// Whether a request without a Host cannot be served on a route.
    fileprivate func needsHost(_ index: Int) -> Bool {
        switch self.service(of: index) {
        case .page, .answer: false
        case .redirect, .files, .publish, .relay, .terminated: true
        }
    }
}

extension Refusal {
    fileprivate static func encodedSlash(_ routeIndex: Int?) -> Refusal {
        var refusal = Refusal(400, "Malformed request: a %2F in the path.", routeIndex: routeIndex)
        if routeIndex != nil { refusal.cure = "Let the route have `encoded-slashes: keep`." }
        return refusal
    }

    /// HTTP/1.0 where nothing is served to it.
    fileprivate static func version(_ routeIndex: Int?) -> Refusal {
        Refusal(400, "Malformed request: the version is not HTTP/1.1.", cure: "Speak HTTP/1.1.", routeIndex: routeIndex)
    }
}

extension Admission {
    /// What a request's head leads to. Each index is that of the route.
    public enum Decision: Equatable, Sendable {
        /// The request may become a session, if its backend agrees.
        case upgrade(Admitted)
        /// The request goes to the route's WebSocket backend as it is.
        case pass(PlainRequest)
        /// A page that the gateway has built in.
        ///
        /// - host: the one that was asked for (as `Authority.host`); empty if a request of HTTP/1.0 names none.
        /// - headOnly: the request is a HEAD: the answer has no body.
        case page(BuiltinPage, routeIndex: Int, host: String, scheme: ClientScheme, headOnly: Bool)
        /// The route's `answer` or `redirect`; `headOnly` as for a page.
        ///
        /// - keepsClient: another request may follow on the connection.
        case answer(Answer, routeIndex: Int, headOnly: Bool, keepsClient: Bool)
        /// The file that the request asks for, if there is one.
        case files(FileRequest)
        /// A room's messages are the answer.
        case events(EventsRequest)
        /// The request's body is a message for a room.
        case publish(PublishRequest)
        /// `decision`, which is one of those above, if the credential is good.
        indirect case demands(Demand, then: Decision)
        /// The client gets the answer in it.
        case refused(Refusal)

        /// The index of the request's route, if it has one.
        public var routeIndex: Int? {
            switch self {
            case .upgrade(let admitted): admitted.routeIndex
            case .pass(let request): request.routeIndex
            case .page(_, let index, _, _, _), .answer(_, let index, _, _): index
            case .files(let request): request.routeIndex
            case .events(let request): request.routeIndex
            case .publish(let request): request.routeIndex
            case .demands(let demand, _): demand.routeIndex
            case .refused(let refusal): refusal.routeIndex
            }
        }
    }
}
