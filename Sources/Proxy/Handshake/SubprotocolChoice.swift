package import Configuration

/// How a route chooses the subprotocol of a session (RFC 6455 section 1.9). Names are compared with regard to case.
package struct SubprotocolChoice: Equatable, Sendable {
    /// Allowed, best first; `nil`: whatever is offered.
    private let allowed: [String]?
    package let isRequired: Bool

    package init(_ route: RouteSettings) {
        self.allowed = route.subprotocols
        self.isRequired = route.requireSubprotocol
    }

    /// What a relay offers its backend: the client's offers, filtered and in the route's order of preference.
    package func offers(from client: [String]) -> [String] {
        self.allowed.map { $0.filter(client.contains) } ?? client
    }

    /// What a bridge or a built-in service answers. Never `base64`: it says that the bytes are encoded, which they are
    /// not here, and old clients offer it along with `binary`.
    package func pick(from client: [String]) -> String? {
        self.offers(from: client).first { $0 != "base64" }
    }
}
