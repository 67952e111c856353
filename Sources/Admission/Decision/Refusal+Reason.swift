internal import Configuration
internal import HTTP1

/// Refusals that depend on what a proxy says of the client. The client is told that it is refused; log and `explain` also say why, and
/// what the operator can do.
extension Refusal {
    /// Nothing is served at this path, or not for this host.
    ///
    /// - Parameter host: that of the request.
    static func notServed(_ request: CheckedRequest, on host: Authority, _ routes: RouteTable) -> Refusal {
        let (target, head, arrival) = (request.target, request.head, request.arrival)
        let path = routes.withoutToken(target.path, on: nil)
        let start: Wording = "Nothing is served at \(peer: path)"
        var refusal = Refusal(404, "\(start).")
        if path == target.path, let near = routes.nearest(to: path, for: request.forwarded) {
            refusal.explain(
                "\(start): `\(near.description)` does not take it.", cure: "Add a route with the path `\(path)`.")
            return refusal
        }
        // Without such a field there is no other host or scheme to try.
        guard !arrival.isFromTrustedProxy, !Self.sent(head).isEmpty else { return refusal }
        let believed = ForwardedHeaders(head.fields, host: host, arrival: arrival.believed)
        guard routes.match(believed.scheme, host: believed.host.host, path: target.path) != nil else { return refusal }
        refusal.explain("\(start) on \(peer: host.text)\(Self.ignored(head)).", cure: Self.trustCure)
        return refusal
    }

    /// The route does not let the client's address in.
    static func address(_ request: CheckedRequest, _ route: RouteSettings, routeIndex: Int) -> Refusal {
        let (fields, arrival) = (request.head.fields, request.arrival)
        let forClient = "The route's `allow` decides."
        let rule = "`allow` of the route is [\(route.allow.map(\.description).joined(separator: ", "))]"
        guard let client = request.forwarded.client else {
            let start: Wording = "Only some addresses are let in here, and the client's is not known"
            var refusal = Refusal(403, "\(start).", cure: forClient, routeIndex: routeIndex)
            let cure = arrival.isFromTrustedProxy ? "Have the proxy send X-Forwarded-For." : Self.trustCure
            refusal.explain("\(start): \(rule).", cure: cure)
            return refusal
        }
        let start: Wording = "The address \(peer: client.description) is not let in here"
        var refusal = Refusal(403, "\(start).", cure: forClient, routeIndex: routeIndex)
        if arrival.isFromTrustedProxy {
            refusal.explain("\(start): \(rule).", cure: "Add it to `allow` of the route.")
        } else if fields.has("X-Forwarded-For"), route.allow.allows(Hops(fields, arrival.believed).client) {
            refusal.explain(
                "\(start): \(rule); X-Forwarded-For was ignored because the peer is not in `trusted-proxies`.",
                cure: Self.trustCure)
        } else {
            refusal.explain(
                "\(start): \(rule).",
                cure:
                    "Add it to `allow` of the route. If it is your proxy's address, add it to `trusted-proxies` instead."
            )
        }
        return refusal
    }

    /// The route does not let this Origin in.
    static func origin(
        _ origin: String?, _ head: RequestHead, _ host: Authority, _ forwarded: ForwardedHeaders, _ arrival: Arrival,
        _ route: RouteSettings, routeIndex: Int
    ) -> Refusal {
        let cure = "The route's `origins` decide."
        guard let origin else {
            return Refusal(403, "This route demands an Origin.", cure: cure, routeIndex: routeIndex)
        }
        var refusal = Refusal(
            403, "The Origin \(peer: origin) is not allowed here.", cure: cure, routeIndex: routeIndex)
        let compared: Wording =
            switch route.origins {
            case .sameOrigin: "the request is for \(peer: forwarded.scheme.rawValue + "://" + forwarded.place.text)"
            case .any, .list: "`origins` of the route are \(route.origins.description)"
            }
        let start: Wording = "The Origin \(peer: origin) is not allowed here: \(compared)"
        func passes(_ forwarded: ForwardedHeaders, _ schemes: [String]) -> Bool {
            OriginCheck.passes(route, origin: origin, host: forwarded.place, schemes: schemes)
        }
        // Only then would trust have changed anything.
        let isIgnored = !arrival.isFromTrustedProxy && !Self.sent(head).isEmpty
        let believed = isIgnored ? ForwardedHeaders(head.fields, host: host, arrival: arrival.believed) : nil
        if let believed, passes(believed, believed.schemes) {
            refusal.explain("\(start)\(Self.ignored(head)).", cure: Self.trustCure)
        } else if arrival.isFromTrustedProxy, !head.fields.has("X-Forwarded-Proto"),
            passes(forwarded, ["http", "https"])
        {
            refusal.explain(
                "\(start), and the proxy sent no X-Forwarded-Proto.", cure: "Have the proxy send X-Forwarded-Proto.")
        } else {
            let cure =
                switch route.origins {
                case .sameOrigin: "List it, with the route's own origin, in `origins`."
                case .any, .list: "Add it to `origins` of the route."
                }
            refusal.explain("\(start).", cure: cure)
        }
        return refusal
    }

    private static let trustCure =
        "If the peer is your proxy, add its address to `trusted-proxies` (`unix` for a Unix socket)."

    private static func sent(_ head: RequestHead) -> [String] {
        ForwardedHeaders.deciding.filter { head.fields.has($0) }
    }

    /// `a, b and c`.
    private static func enumeration(_ names: [String]) -> String {
        let start = names.dropLast().joined(separator: ", ")
        return [start, names.last ?? ""].filter { !$0.isEmpty }.joined(separator: " and ")
    }

    /// What the other end said, and was not believed.
    private static func ignored(_ head: RequestHead) -> Wording {
        let names = self.sent(head)
        let were = names.count == 1 ? "was" : "were"
        return "; \(Self.enumeration(names)) \(were) ignored because the peer is not in `trusted-proxies`"
    }
}
