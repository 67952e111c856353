internal import Configuration

/// Which subprotocol a session speaks (RFC 6455 section 1.9).
enum SubprotocolChoice {
    /// What a relay offers the backend: with a list, ours in our order among those the client offered; without, the client's.
    static func offer(_ offered: [String], by route: RouteSettings) -> [String] {
        guard let allowed = route.subprotocols else { return offered }
        return allowed.filter { offered.contains($0) }
    }

    /// What a bridge or a built-in service picks: with a list, the best that fits; without, the client's first. Never `base64`,
    /// by which old clients mean a coding that is not spoken here. A browser fails a connection whose offer is not answered.
    static func pick(_ offered: [String], by route: RouteSettings) -> String? {
        let candidates = self.offer(offered, by: route)
        return route.subprotocols == nil ? candidates.first { $0 != "base64" } : candidates.first
    }
}
