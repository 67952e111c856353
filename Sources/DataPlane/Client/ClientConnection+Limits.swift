internal import Admission
internal import Configuration
internal import HTTP1
internal import Observability
internal import System

/// The limits on requests and on sessions: those of the gateway, of the listener and of the route. All hold.
extension ClientConnection {
    /// The address that a request counts for. `nil` for peers on a Unix socket and for proxies, unless they name their client.
    private var countedAddress: IPNetwork? {
        guard let client = self.summary.client else { return nil }
        let isPeer = client == self.address.ip
        if isPeer, self.context.configuration.shared.settings.trustedProxies.contains(client) { return nil }
        return client.subscriber
    }

    /// Looks at the limits in turn, until one is reached.
    private func first<Found>(
        _ route: Route?, _ look: (LimitScope, ScopeLimits) -> Found?
    ) -> (found: Found, owner: ReachedLimit.Owner)? {
        let gateway = self.context.configuration.shared.settings.scope
        if let found = look(self.context.scope, gateway) { return (found, .gateway) }
        if let found = look(self.listener.scope, self.listener.settings.scope) { return (found, .listener) }
        if let route, let found = look(route.scope, route.settings.scope) { return (found, .route) }
        return nil
    }

    /// Counts a request.
    ///
    /// - Returns: why it is not served, if its address sends too many. Then it does not count.
    func count(_ head: RequestHead, _ route: Route?, at index: Int?) -> Refusal? {
        let isLimited = self.first(route) { _, limits in
            limits.handshakesPerAddress == nil && limits.requestsPerAddress == nil ? nil : true
        }
        guard isLimited != nil, let address = self.countedAddress else { return nil }
        let now = self.loop.now
        let isUpgrade = head.isUpgrade
        // First all are asked: a request that one limit refuses takes nothing from the others.
        let wait = self.first(route) { scope, limits in
            scope.wait(address, isUpgrade: isUpgrade, limits, at: now).map {
                (time: $0, rate: limits.rateText(isUpgrade: isUpgrade))
            }
        }
        if let (found, owner) = wait {
            let key: ReachedLimit.Key = isUpgrade ? .handshakesPerAddress : .requestsPerAddress
            return self.refusal(
                .init(key, of: owner), found.rate ?? "", after: found.time, head, route, at: index)
        }
        _ = self.first(route) { scope, limits -> Bool? in
            scope.take(address, isUpgrade: isUpgrade, limits, at: now)
            return nil
        }
        return nil
    }

    /// Counts a session that is being opened.
    ///
    /// - Returns: its place; `nil` if there is none, and the client was told.
    func takeSeat(on route: Route, at index: Int, _ head: RequestHead) -> SessionSeat? {
        let address = self.countedAddress
        let seat = SessionSeat(
            address: address, gateway: self.context.scope, listener: self.listener.scope, route: route.scope)
        let reached = self.first(route) { scope, limits in
            scope.begin(address, limits).map { (key: $0, limits) }
        }
        guard let ((key, limits), owner) = reached else { return seat }
        seat.leave(before: owner)
        let bound = (key == .sessions ? limits.sessions : limits.sessionsPerAddress) ?? 0
        self.route = route
        self.turnAway(
            self.refusal(.init(key, of: owner), String(bound), after: .seconds(5), head, route, at: index), head)
        return nil
    }

    private func refusal(
        _ limit: ReachedLimit, _ bound: String, after wait: Duration, _ head: RequestHead, _ route: Route?,
        at index: Int?
    ) -> Refusal {
        self.context.metrics.reached(limit, route: route?.settings.name)
        let owner =
            switch limit.owner {
            case .route: "the route \(route?.settings.name ?? "-")"
            case .listener: "the listener \(self.listener.name)"
            case .gateway, .session: "the \(limit.owner.rawValue)"
            }
        return .reached(limit, of: owner, bound, retryAfter: wait, head, routeIndex: index)
    }
}
