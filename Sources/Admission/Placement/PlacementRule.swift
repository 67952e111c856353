public import Configuration
public import HTTP1

/// How requests are placed among the endpoints of a backend: its `balance`, as far as a request has a say in it. The same for upgrades and
/// for plain requests.
public struct PlacementRule: Sendable {
    private let balance: Balance
    /// `nil` unless `balance` is `cookie`.
    private let cookie: EndpointCookie?

    /// - Parameter cookie: for `balance: cookie`.
    public init(_ balance: Balance, cookie: EndpointCookie?) {
        self.balance = balance
        self.cookie = cookie
    }

    /// The cookie that requests to the backend are sent without; `nil`: none.
    public var ownCookie: String? { self.cookie?.name }

    /// Requests of one connection go to one endpoint, because none of them says where it goes.
    public var keepsConnections: Bool { !self.balance.leadsBack }

    /// What a request asks for. A value that is absent, empty or repeated asks for nothing.
    ///
    /// - Parameter client: the client's address, as text.
    public func placement(
        _ fields: HTTPFields, _ target: RequestTarget, client: @autoclosure () -> String
    ) -> Placement {
        switch self.balance {
        case .roundRobin, .leastSessions, .randomTwo: .any
        case .hashAddress: .value(client())
        case .hashPath: .value(target.path)
        case .cookie: self.cookie?.place(in: fields).map { .endpoint($0) } ?? .any
        case .hashCookie(let name): Self.only(of: fields.cookies(name))
        case .hashHeader(let name): Self.only(of: fields.values(name))
        case .hashQuery(let name): Self.only(of: target.parameters(name))
        }
    }

    private static func only(of values: [String]) -> Placement {
        guard values.count == 1, let value = values.first, !value.isEmpty else { return .any }
        return .value(value)
    }

    /// The value of the Set-Cookie that an answer gets beside the backend's own; `nil`: none, because the client has it already, or there is
    /// no such cookie.
    ///
    /// - Parameters:
    ///   - place: that of the endpoint that answered.
    ///   - placement: what the request asked for.
    ///   - isSecure: the client came by https.
    public func setCookie(from place: Int, after placement: Placement, isSecure: Bool) -> String? {
        guard placement != .endpoint(place) else { return nil }
        return self.cookie?.setCookie(for: place, isSecure: isSecure)
    }
}
