internal import ControlPlane
internal import DataPlane
internal import HTTP1
internal import Sessions

/// Decides what a request asks for: it has the answer itself, or the gateway has to be asked. Without I/O.
public struct AdminRouter: Equatable, Sendable {
    /// What to do with a request.
    public enum Decision: Equatable, Sendable {
        case answer(AdminResponse)
        case ask(AdminQuestion)
        /// The request is for a WebSocket.
        case open(AdminStream)
    }

    private let requestGuard: RequestGuard

    /// - Parameter requestGuard: checks every request first.
    public init(_ requestGuard: RequestGuard) { self.requestGuard = requestGuard }

    /// Decides what to do with a complete request.
    public func decide(_ request: AdminRequest) -> Decision {
        if let refusal = self.requestGuard.refusal(of: request) { return .answer(refusal) }
        let path = AdminRoute.parts(of: request.path)
        let found = Self.routes.compactMap { route in route.match(path).map { (route, $0) } }
        guard !found.isEmpty else {
            return .answer(.error(404, "there is nothing here; / says what there is"))
        }
        guard let (route, parts) = found.first(where: { $0.0.methods.contains(request.method) }) else {
            let methods = found.map(\.0).filter { !$0.help.isEmpty }.flatMap(\.methods).joined(separator: ", ")
            var refusal = AdminResponse.error(405, "the methods of this are \(methods)")
            refusal.fields.append("Allow", methods)
            return .answer(refusal)
        }
        do throws(AdminResponse) { return try route.decide(request, parts) } catch { return .answer(error) }
    }

    // MARK: - What there is

    private static let routes: [AdminRoute] = [
        AdminRoute("GET", "/", "this list; for a browser, the dashboard") { request, _ in
            .answer(request.wantsPage ? DashboardPage.answer : AdminResponse(200, Self.contents))
        },
        // HAProxy's plain probe. It is in no list.
        AdminRoute("OPTIONS", "/", "", asks: .readiness),
        AdminRoute("GET", "/healthz", "200 while the process lives") { _, _ in .answer(AdminResponse(200, "ok")) },
        AdminRoute("GET", "/readyz", "200 if new clients are welcome, else 503; OPTIONS / too", asks: .readiness),
        AdminRoute("GET", "/metrics", "for Prometheus", asks: .metrics),
        AdminRoute(
            "GET", "/api/sessions",
            """
            the live sessions; ?route=… &backend= &endpoint= &client= (an address or a network) &subject=
            &sort=-queue, -rtt, -age or -rate &limit=100 &after= (`next` of the page before)
            """
        ) { request, _ throws(AdminResponse) in
            .ask(.sessions(try SessionQuery(request)))
        },
        AdminRoute(
            "POST", "/api/sessions/ID/close", #"close a session: {"code": 1008, "reason": "…"}"#
        ) { request, parts throws(AdminResponse) in
            .ask(.close(try CloseOrder(ofSession: parts[0], request)))
        },
        AdminRoute(
            "POST", "/api/sessions/close",
            """
            close all sessions for which each filter holds: {"route", "backend", "endpoint", "client",
            "subject", "code": 1008, "reason": "…"}, or {"all": true}; with a subject, "for": "10m" keeps
            it out for so long; ?dry-run=true only counts them
            """
        ) { request, _ throws(AdminResponse) in
            .ask(.close(try CloseOrder(request)))
        },
        AdminRoute(
            "GET", "/api/closes", "the last sessions that ended, newest first; ?cause=…"
        ) { request, _ throws(AdminResponse) in
            .ask(.closes(causedBy: try request.cause()))
        },
        AdminRoute("GET", "/api/refusals", "the last clients that were turned away, newest first", asks: .refusals),
        AdminRoute("GET", "/api/history", "what was counted in the last 15 minutes, in steps", asks: .history),
        AdminRoute(
            "GET", "/api/events", "a WebSocket: what happens, as it happens, and a summary each second"
        ) { _, _ in .open(.events) },
        AdminRoute(
            "GET", "/api/sessions/ID/tail", "a WebSocket: the frames of a session, as they pass"
        ) { _, parts throws(AdminResponse) in
            guard let id = SessionID(String(parts[0])) else { throw .noSuchSession }
            return .open(.tail(.session(id)))
        },
        AdminRoute(
            "GET", "/api/tail", "a WebSocket: the frames of all sessions of a route; ?route=…"
        ) { request, _ throws(AdminResponse) in
            guard let route = try AdminParameters(of: request, names: ["route"]).text("route") else {
                throw .error(400, "name the route: ?route=…")
            }
            return .open(.tail(.route(route)))
        },
        AdminRoute("GET", "/api/backends", "the backends and their endpoints", asks: .backends),
        AdminRoute(
            "POST", "/api/endpoints",
            """
            {"backend": "…", "endpoint": "…", "state": "drain"}: only clients with a cookie that names it still come;
            "down": none; "up" takes it back; its sessions stay
            """
        ) { request, _ throws(AdminResponse) in
            .ask(.order(try EndpointOrder(request)))
        },
        AdminRoute("GET", "/api/status", "what the process does, and what it may use", asks: .status),
        AdminRoute(
            "POST", "/api/reload", "apply the configuration file; ?dry-run=true only says what would close"
        ) { request, _ throws(AdminResponse) in
            .ask(.reload(dryRun: try request.dryRun()))
        },
        AdminRoute(
            "POST", "/api/drain",
            """
            close everything gently, then exit; {"backend": "…", "endpoint": "…"} for a part, "undo": true
            takes it back
            """
        ) { request, _ throws(AdminResponse) in
            .ask(try AdminQuestion(drain: request))
        },
    ]

    /// The answer at `/`.
    private static let contents: String = {
        let routes = Self.routes.filter { !$0.help.isEmpty }
        let width = routes.map(\.path.count).max() ?? 0
        let lines = routes.flatMap { route in
            route.help.split(separator: "\n").enumerated().map { index, line in
                let head = index == 0 ? "\(route.method) \(route.path)" : ""
                return head.padded(to: width + 7) + line
            }
        }
        return (["gateway", ""] + lines).joined(separator: "\n")
    }()
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - self.count))
    }
}
