internal import Admission
internal import Configuration
internal import Sessions

/// What a new configuration means for the sessions that were opened under an older one.
///
/// A session stays untouched unless its own route, backend or endpoint is gone, or changed in a way that concerns it: it would be
/// led elsewhere, or turned away, if it came again. What it was told when it opened (limits, timeouts) holds until it ends.
struct ReloadPlan: Sendable {
    /// What is known of a session.
    struct Facts: Sendable {
        let route: Route
        /// `nil` for a built-in service.
        let endpoint: Endpoint?
        let origin: String?
        let subprotocol: AgreedSubprotocol
        /// The path it asked for has a `%2F`.
        let hasEncodedSlash: Bool
    }

    enum Fate: Sendable {
        /// The session goes on, as one of this route.
        case stays(Route)
        /// The session is drained; why.
        case drains(String)
    }

    /// Names alone are not enough: a route without a name of its own is called by its first host and path.
    private struct RouteKey: Hashable {
        let name: String
        let path: PathPattern
        let hosts: [HostPattern]

        init(_ settings: RouteSettings) {
            self.name = settings.name
            self.path = settings.path
            self.hosts = settings.hosts
        }
    }

    private let runtime: Runtime
    private let routes: [RouteKey: Route]

    init(to runtime: Runtime) {
        self.runtime = runtime
        let routes = runtime.routes.map { (RouteKey($0.settings), $0) }
        // Of two that are alike, the first has all the sessions.
        self.routes = Dictionary(routes, uniquingKeysWith: { first, _ in first })
    }

    func fate(of session: Facts) -> Fate {
        let old = session.route
        let name = "the route \(old.settings.name)"
        guard let new = self.routes[RouteKey(old.settings)] else {
            // What a session asked for is not remembered: a route that answers to other requests may not be its own any more.
            let isGone = self.runtime.route(named: old.settings.name) == nil
            return .drains(isGone ? "\(name) is gone" : "\(name) answers to other requests")
        }
        guard new.settings.action == old.settings.action, let oldBackend = old.backend, let backend = new.backend else {
            return .drains("\(name) leads elsewhere")
        }
        if let reason = Self.change(from: oldBackend, to: backend, endpoint: session.endpoint) {
            return .drains(reason)
        }
        guard Self.admits(new.settings, session, before: old.settings) else {
            return .drains("\(name) does not admit it any more")
        }
        return .stays(new)
    }

    /// What is different about a backend for a session of one of its endpoints; `nil`: nothing.
    private static func change(from old: Backend, to new: Backend, endpoint: Endpoint?) -> String? {
        let name = "the backend \(new.name)"
        switch (old.settings.kind, new.settings.kind) {
        case (.builtin(let oldService), .builtin(let service)):
            return service == oldService ? nil : "\(name) is another service"
        case (.websocket, .websocket): break
        case (.tcp(_, let oldMessage), .tcp(_, let message)):
            guard message == oldMessage else { return "\(name) sends other messages" }
        default: return "\(name) is of another kind"
        }
        guard let endpoint, new.has(endpoint) else {
            return "an endpoint of \(name) is gone"
        }
        // Whom we trust has changed: whoever is at the other end may not be the one.
        if endpoint.usesTLS, new.settings.tls != old.settings.tls { return "\(name) has other TLS settings" }
        return nil
    }

    /// Whether a route's rules on path, Origin and subprotocol let a session in that an older state of it let in.
    private static func admits(_ new: RouteSettings, _ session: Facts, before old: RouteSettings) -> Bool {
        guard !session.hasEncodedSlash || new.encodedSlashes == .keep else { return false }
        if new.origins != old.origins || new.requireOrigin != old.requireOrigin {
            guard Self.admits(new, origin: session.origin) else { return false }
        }
        if new.subprotocols != old.subprotocols || new.requireSubprotocol != old.requireSubprotocol {
            return Self.admits(new, session.subprotocol)
        }
        return true
    }

    private static func admits(_ new: RouteSettings, _ subprotocol: AgreedSubprotocol) -> Bool {
        switch subprotocol {
        case .none: !new.requireSubprotocol
        case .named(let name): new.subprotocols?.contains(name) ?? true
        // It was not remembered, so that it is in no list.
        case .hidden: new.subprotocols == nil
        }
    }

    private static func admits(_ new: RouteSettings, origin: String?) -> Bool {
        guard let origin else { return !new.requireOrigin }
        switch new.origins {
        case .any: return true
        // The Host it came with is not remembered.
        case .sameOrigin: return false
        case .list(let patterns):
            return WebOrigin(origin).map { origin in patterns.contains { origin.matches($0) } } ?? false
        }
    }
}
