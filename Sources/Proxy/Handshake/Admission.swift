internal import Configuration
internal import HTTP1
internal import WebSocketProtocol

/// A request that may become a session.
struct Admitted: Sendable {
    /// The route's place in the configuration.
    let routeIndex: Int
    /// The client's Sec-WebSocket-Key.
    let key: String
    let target: RequestTarget
    /// Host as the client wrote it.
    let host: String
    let origin: String?
    let forwarded: Forwarded
    /// What a relay offers its backend.
    let subprotocols: [String]
    /// What a bridge or a built-in service picks.
    let pick: String?
    let requiresSubprotocol: Bool
    /// The client's offers of permessage-deflate.
    let compressionOffers: [ExtensionOffer]
    /// What a backend gets of the client's own fields.
    let passedFields: HTTPFields
}

/// Decides on a request, without I/O. `gateway explain` asks the same code.
///
/// In this order, so that a client learns of its first mistake first and of nothing it may not know: the head and its Host
/// (400), the route (404), the method (405), whether it is an upgrade at all and which version (426), its key (400), its Origin
/// (403), its subprotocol (400).
enum Admission {
    enum Decision: Sendable {
        case upgrade(Admitted)
        case page(RouteSettings.Page, routeIndex: Int, headOnly: Bool)
        case refused(Refusal)
    }

    static func decide(_ head: RequestHead, arrival: Arrival, routes: RouteTable) -> Decision {
        do throws(Refusal) {
            let (target, host, authority) = try self.destination(head)
            try self.refuseBody(head)
            guard let index = routes.match(host: authority.host, path: target.path) else { throw .noRoute }
            let route = routes.routes[index]
            do throws(Refusal) {
                if case .page(let page) = route.action {
                    guard head.method == "GET" || head.method == "HEAD" else { throw .methodNotAllowed(allow: "GET, HEAD") }
                    return .page(page, routeIndex: index, headOnly: head.method == "HEAD")
                }
                return .upgrade(try self.upgrade(head, target, host, authority, route, index, arrival))
            } catch {
                throw error.on(index)
            }
        } catch {
            return .refused(error)
        }
    }

    // MARK: - Where to

    private static func destination(
        _ head: RequestHead
    ) throws(Refusal) -> (target: RequestTarget, host: String, authority: Authority) {
        let hosts = head.fields.values("host")
        guard hosts.count == 1 else { throw .malformed(hosts.isEmpty ? "Host is missing." : "Host is repeated.") }
        guard let authority = Authority(hosts[0]) else { throw .malformed("Host is not a host.") }
        for name in ["origin", "sec-websocket-key", "sec-websocket-version"] where head.fields.values(name).count > 1 {
            throw .malformed("\(name) is repeated.")
        }
        do throws(TargetError) {
            let target = try RequestTarget(head.target)
            guard target.authority == nil || target.authority == authority else {
                throw TargetError("the target's host is not that of Host")
            }
            return (target, hosts[0], authority)
        } catch {
            throw .malformed("Bad request target: \(error.description).")
        }
    }

    /// A request with a body is no upgrade; and two servers that disagree on where it ends see two requests
    /// (CVE-2026-69243).
    private static func refuseBody(_ head: RequestHead) throws(Refusal) {
        guard !head.fields.contains("transfer-encoding") else { throw .malformed("Transfer-Encoding is not taken here.") }
        let lengths = head.fields.values("content-length")
        guard lengths.isEmpty || lengths == ["0"] else { throw .malformed("A body is not taken here.") }
    }

    // MARK: - The upgrade (RFC 6455 section 4.2.1)

    private static func upgrade(
        _ head: RequestHead, _ target: RequestTarget, _ host: String, _ authority: Authority, _ route: RouteSettings,
        _ index: Int, _ arrival: Arrival
    ) throws(Refusal) -> Admitted {
        guard head.method == "GET" else { throw .methodNotAllowed(allow: "GET") }
        let connection = head.fields.members("connection").map(\.asciiLowercased)
        let upgrade = head.fields.members("upgrade").map(\.asciiLowercased)
        guard connection.contains("upgrade"), upgrade.contains("websocket") else { throw .upgradeRequired }
        guard head.fields.first("sec-websocket-version") == "13" else { throw .versionRequired }
        guard let key = head.fields.first("sec-websocket-key"), AcceptKey.isValidKey(key) else { throw .badKey }

        let forwarded = Forwarded(head.fields, host: host, arrival: arrival)
        let origin = head.fields.first("origin")
        let asked = Authority(forwarded.host) ?? authority
        switch OriginCheck.verdict(on: origin, by: route, host: asked, isSecure: forwarded.isSecure) {
        case .pass: break
        case .refused(let detail): throw .origin(detail)
        }

        let protocols = head.fields.values("sec-websocket-protocol")
        guard let offered = protocols.isEmpty ? [] : HeaderTokens.subprotocols(protocols) else {
            throw .malformed("Sec-WebSocket-Protocol is not a list of different tokens.")
        }
        let pick = SubprotocolChoice.pick(offered, by: route)
        let subprotocols = SubprotocolChoice.offer(offered, by: route)
        if route.requireSubprotocol, subprotocols.isEmpty { throw .subprotocol }
        return Admitted(
            routeIndex: index, key: key, target: target, host: host, origin: origin, forwarded: forwarded,
            subprotocols: subprotocols, pick: pick, requiresSubprotocol: route.requireSubprotocol,
            compressionOffers: try self.compressionOffers(head),
            passedFields: PassedFields.ofRequest(head.fields))
    }

    /// Of extensions only permessage-deflate is passed on.
    private static func compressionOffers(_ head: RequestHead) throws(Refusal) -> [ExtensionOffer] {
        let extensions = head.fields.values("sec-websocket-extensions")
        guard let offers = extensions.isEmpty ? [] : ExtensionOffer.parse(extensions) else {
            throw .malformed("Sec-WebSocket-Extensions is not a list of extensions.")
        }
        return PermessageDeflate.offers(in: offers)
    }
}

extension Refusal: Error {}
