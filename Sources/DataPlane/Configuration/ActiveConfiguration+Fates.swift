internal import Admission
public import Configuration
public import Sessions

/// What this configuration means for sessions that were opened under an older one.
///
/// A session is left alone unless its route, backend or endpoint is gone, or has changed so that the same request would now lead elsewhere
/// or be refused; that its token is gone from the files changes nothing. It goes on with the new route's timeouts, heartbeats and queue limit;
/// limits on messages and compression hold as they were when it opened.
extension ActiveConfiguration {
    /// What is remembered of a session.
    public struct SessionFacts: Sendable {
        /// The route that it was opened on.
        public let route: Route
        /// `nil` for a built-in service.
        public let endpoint: Endpoint?
        /// Its client as trusted proxies name it; `nil` on a Unix socket.
        public let client: IPAddress?
        /// The Origin of its request; `nil` without one.
        public let origin: String?
        /// The subprotocol that was agreed on.
        public let subprotocol: AgreedSubprotocol
        /// Whether its path has a `%2F`.
        public let hasEncodedSlash: Bool
    }

    /// What happens to a session under the new configuration.
    public enum Fate: Sendable {
        /// The session goes on, on this route.
        case stays(Route)
        /// The session is drained, for this reason.
        case drains(String)
    }

    /// What happens to `session` under this configuration.
    public func fate(of session: SessionFacts) -> Fate {
        let old = session.route
        let name = "the route \(old.settings.name)"
        guard let new = self.route(like: old.settings) else {
            // The session's request is not remembered, so it cannot be matched again: a route for other requests may not be its own.
            let isGone = self.route(named: old.settings.name) == nil
            return .drains(isGone ? "\(name) is gone" : "\(name) answers to other requests")
        }
        guard let oldBackend = old.backend, let backend = new.backend, oldBackend.name == backend.name,
            new.settings.action.opensSessions
        else {
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

    /// The change of a backend that ends a session of one of its endpoints; `nil` if there is none.
    private static func change(from old: Backend, to new: Backend, endpoint: Endpoint?) -> String? {
        let name = "the backend \(new.name)"
        switch (old.settings.kind, new.settings.kind) {
        case (.builtin(let oldService), .builtin(let service)):
            return service == oldService ? nil : "\(name) is another service"
        case (.websocket, .websocket): break
        case (.tcp(_, let oldMessage), .tcp(_, let message)):
            guard message == oldMessage else { return "\(name) sends other messages" }
        case (.tokens(let oldTokens, let oldMessage), .tokens(let tokens, let message)):
            guard message == oldMessage else { return "\(name) sends other messages" }
            // A session goes on when its token is gone: what it was for is done.
            return tokens == oldTokens ? nil : "\(name) takes other tokens"
        default: return "\(name) is of another kind"
        }
        guard let endpoint, new.has(endpoint) else {
            return "an endpoint of \(name) is gone"
        }
        // Other certificates are trusted now, and the peer's may not be one of them.
        if endpoint.usesTLS, new.settings.tls != old.settings.tls { return "\(name) has other TLS settings" }
        return nil
    }

    /// Whether the route's rules for address, path, Origin and subprotocol still admit a session that its older rules admitted.
    private static func admits(_ new: RouteSettings, _ session: SessionFacts, before old: RouteSettings) -> Bool {
        guard !session.hasEncodedSlash || new.encodedSlashes == .keep, new.allow.allows(session.client) else {
            return false
        }
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
        // The name is not remembered, so it cannot be found in a list.
        case .hidden: new.subprotocols == nil
        }
    }

    private static func admits(_ new: RouteSettings, origin: String?) -> Bool {
        guard let origin else { return !new.requireOrigin }
        switch new.origins {
        case .any: return true
        // The Host of the request is not remembered.
        case .sameOrigin: return false
        case .list(let patterns):
            return WebOrigin(origin).map { origin in patterns.contains { origin.matches($0) } } ?? false
        }
    }
}
