public import Configuration
public import Sessions
internal import System

/// Which sessions a question or an order is about: those for which everything holds that is not `nil`. Without anything, all.
public struct SessionFilter: Equatable, Sendable {
    /// Only this session.
    public var id: SessionID?
    /// The name of the route, as metrics have it.
    public var route: String?
    /// The name of the backend.
    public var backend: String?
    /// The name of the endpoint.
    public var endpoint: String?
    /// The network of the client, as trusted proxies name it.
    public var client: IPNetwork?
    /// What the credential calls the client.
    public var subject: String?

    /// See the properties.
    public init(
        id: SessionID? = nil, route: String? = nil, backend: String? = nil, endpoint: String? = nil,
        client: IPNetwork? = nil, subject: String? = nil
    ) {
        self.id = id
        self.route = route
        self.backend = backend
        self.endpoint = endpoint
        self.client = client
        self.subject = subject
    }

    func matches(_ session: SessionTraits) -> Bool {
        if let id = self.id, id != session.id { return false }
        if let route = self.route, route != session.route?.settings.name ?? "-" { return false }
        if let backend = self.backend, backend != session.route?.backend?.name { return false }
        if let endpoint = self.endpoint, endpoint != session.endpoint?.name { return false }
        if let client = self.client, session.client.map({ client.contains($0) }) != true { return false }
        if let subject = self.subject, session.credential?.isOf(subject) != true { return false }
        return true
    }
}
