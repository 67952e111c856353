internal import Configuration
internal import HTTP1
internal import WebSocketProtocol

/// The rules of a route for upgrades.
extension Admission {
    /// What may become a session on a route with a backend.
    static func upgrade(_ request: CheckedRequest, _ routes: RouteTable, _ index: Int) throws(Refusal) -> Admitted {
        let route = routes.routes[index]
        let head = request.head
        try self.checkMethod(of: request, allowed: ["GET"], index)
        guard request.isUpgrade else { throw .upgradeRequired(routeIndex: index) }
        try self.checkVersion(request.version, index)
        let key = try self.key(of: request, index)
        let offered = try self.subprotocols(of: head, index)
        let extensions = try self.extensions(of: head, index)

        try self.checkOrigin(of: request, route, index)
        let choice = SubprotocolChoice(route)
        let offers = choice.offers(from: offered)
        let hasRooms = routes.hasRooms(index)
        let pick = hasRooms ? choice.pick(RoomRequest.subprotocol, from: offered) : choice.pick(from: offered)
        if choice.isRequired {
            let isServed = routes.service(of: index) == .relay ? !offers.isEmpty : pick != nil
            guard isServed else { throw Refusal.subprotocolRequired(route.subprotocols, routeIndex: index) }
        }
        let token = try self.token(of: request, routes, index)
        let path = routes.routes[index].path
        let room =
            hasRooms ? try RoomRequest(request, subprotocol: pick, on: path, routeIndex: index) : nil
        return Admitted(
            request, routeIndex: index, key: key, offeredSubprotocols: offered, subprotocols: offers,
            subprotocol: pick ?? request.announcement,
            requiresSubprotocol: choice.isRequired,
            compressionOffers: route.compression == .off ? [] : PermessageDeflate.offers(in: extensions), token: token,
            room: room)
    }

    /// The token that names the endpoint; `nil` where the backend has none.
    private static func token(
        of request: CheckedRequest, _ routes: RouteTable, _ index: Int
    ) throws(Refusal) -> String? {
        guard let place = routes.tokenPlace(of: index) else { return nil }
        let values =
            switch place {
            case .query(let name): request.target.parameters(name)
            case .header(let name): request.head.fields.values(name)
            case .path: [request.target.token(below: routes.routes[index].path)]
            }
        guard values.count <= 1 else { throw Refusal(400, "The token is repeated.", routeIndex: index) }
        guard let token = values.first, !token.isEmpty else { throw Refusal.tokenMissing(place, routeIndex: index) }
        return token
    }

    private static func checkVersion(_ version: String?, _ index: Int) throws(Refusal) {
        guard version != "13" else { return }
        throw Refusal(
            426,
            version.map { "The WebSocket version \(peer: $0) is not spoken here." }
                ?? "The WebSocket version is missing and is not spoken here.",
            cure: "Use version 13.", fields: ["Sec-WebSocket-Version": "13"], routeIndex: index)
    }

    private static func key(of request: CheckedRequest, _ index: Int) throws(Refusal) -> String {
        guard let key = request.key else {
            throw Refusal(400, "The Sec-WebSocket-Key is missing.", routeIndex: index)
        }
        guard AcceptKey.isValidKey(key) else {
            throw Refusal(400, "The Sec-WebSocket-Key is bad: it has to be 16 bytes in base64.", routeIndex: index)
        }
        return key
    }

    private static func subprotocols(of head: RequestHead, _ index: Int) throws(Refusal) -> [String] {
        let values = head.fields.values("Sec-WebSocket-Protocol")
        guard !values.isEmpty else { return [] }
        guard let names = HeaderTokens.subprotocols(values) else { throw .malformedSubprotocols(index) }
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
    fileprivate static func tokenMissing(_ place: TargetTokenPlace, routeIndex: Int) -> Refusal {
        let cure =
            switch place {
            case .query(let name): "Add it to the URL: ?\(name)=TOKEN."
            case .header(let name): "Send it as \(name)."
            case .path: "Add it to the path."
            }
        return Refusal(404, "This address needs a token.", cure: cure, routeIndex: routeIndex)
    }

    fileprivate static func subprotocolRequired(_ allowed: [String]?, routeIndex: Int) -> Refusal {
        let cure = allowed.map { "Offer one of: \($0.joined(separator: ", "))." } ?? "Offer one."
        return Refusal(400, "This route requires a subprotocol.", cure: cure, routeIndex: routeIndex)
    }
}
