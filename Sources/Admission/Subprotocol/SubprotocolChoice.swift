public import Configuration
internal import Credentials

/// How a route chooses the subprotocol of a session (RFC 6455 section 1.9). Names are case-sensitive.
public struct SubprotocolChoice: Equatable, Sendable {
    /// Allowed, best first; `nil`: any.
    private let allowed: [String]?
    let isRequired: Bool

    /// The rules of `subprotocols` and `require-subprotocol` of a route.
    public init(_ route: RouteSettings) {
        self.allowed = route.subprotocols
        self.isRequired = route.requireSubprotocol
    }

    /// What a relay offers its backend: the client's offers, filtered and in the route's order of preference.
    func offers(from client: [String]) -> [String] {
        self.allowed.map { $0.filter(client.contains) } ?? client
    }

    /// What a bridge or a built-in service picks. Never `base64`, which old clients offer along with `binary`: it says that the bytes are
    /// encoded, and here they are not. Never a credential. `bearer`, which announces one, only if nothing else is offered.
    func pick(from client: [String]) -> String? {
        let names = self.names(among: client).filter { $0 != "base64" }
        return names.first { !SubprotocolCredential.isAnnouncement($0) } ?? names.first
    }

    /// The same, but this name wherever it is offered and allowed.
    func pick(_ name: String, from client: [String]) -> String? {
        self.offers(from: client).contains(name) ? name : self.pick(from: client)
    }

    /// The offers of `offers(from:)` that may be shown because they are not credentials. A name that the route lists is not a secret.
    public func names(among client: [String]) -> [String] {
        let offers = self.offers(from: client)
        guard self.allowed == nil else { return offers }
        let credentials = SubprotocolCredential.all(in: client).map(\.element)
        return credentials.isEmpty ? offers : offers.filter { !credentials.contains($0) }
    }
}
