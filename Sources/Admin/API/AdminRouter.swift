public import Configuration
public import ControlPlane
internal import DataPlane
internal import HTTP1
internal import Sessions

/// Decides what a request asks for: it has the answer itself, or the gateway has to be asked. Without I/O.
public struct AdminRouter: Equatable, Sendable {
    /// What to do with a request.
    public enum Decision: Equatable, Sendable {
        case answer(AdminResponse)
        /// Answer, and log what the request would have changed.
        case refuse(AdminResponse, AdminChange)
        case ask(AdminQuestion)
        /// The user of the request has to be verified by these settings. Then decide again, for that user.
        case identify(BasicSettings)
        /// The request is for a WebSocket.
        case open(AdminStream)
    }

    private let settings: GatewayConfiguration.Admin
    /// Checks every request first.
    private let requestGuard: RequestGuard

    /// Decides by the settings of an address.
    public init(_ settings: GatewayConfiguration.Admin) {
        self.settings = settings
        let isUnixSocket = if case .tcp = settings.address { false } else { true }
        self.requestGuard = RequestGuard(hosts: settings.hosts, isUnixSocket: isUnixSocket)
    }

    /// Decides what to do with a complete request.
    ///
    /// - Parameter user: the one with the password that came with it; `nil`: none was verified.
    public func decide(_ request: AdminRequest, of user: String? = nil) -> Decision {
        if let refusal = self.requestGuard.refusal(of: request) { return .answer(refusal) }
        let path = AdminRoute.parts(of: request.path)
        let found = Self.routes.compactMap { route in route.match(path).map { (route, $0) } }
        let chosen = found.first { $0.0.methods.contains(request.method) }
        if let users = self.settings.auth, user == nil, self.asks(for: chosen?.0) { return .identify(users) }
        guard !self.settings.readOnly || ["GET", "HEAD"].contains(request.method) || chosen?.0.changesNothing == true
        else { return Self.refusedAsReadOnly(request, chosen) }
        guard !found.isEmpty else {
            return .answer(.error(404, "there is nothing here; / says what there is"))
        }
        guard let (route, parts) = chosen else {
            let methods = found.map(\.0).filter { !$0.help.isEmpty }.flatMap(\.methods).joined(separator: ", ")
            var refusal = AdminResponse.error(405, "the methods of this are \(methods)")
            refusal.fields.append("Allow", methods)
            return .answer(refusal)
        }
        do throws(AdminResponse) { return try route.decide(request, parts) } catch { return .answer(error) }
    }

    /// - Parameter chosen: what it asks for; `nil`: there is nothing.
    private static func refusedAsReadOnly(
        _ request: AdminRequest, _ chosen: (route: AdminRoute, parts: AdminRoute.Parts)?
    ) -> Decision {
        let response = AdminResponse.error(403, "nothing can be changed at this address: `admin` has `read-only: true`")
        guard let (route, parts) = chosen, case .ask(let question)? = try? route.decide(request, parts),
            let change = question.refused("read-only")
        else { return .answer(response) }
        return .refuse(response, change)
    }

    /// Whether only users may have it; `nil`: there is nothing, which only they hear.
    private func asks(for route: AdminRoute?) -> Bool {
        switch route?.visitors {
        case .everyone: false
        case .scrapers: self.settings.metrics == .asks
        case .users, nil: true
        }
    }

    // MARK: - What there is

    static let routes: [AdminRoute] = [
        AdminRoute("GET", "/", "this list; for a browser, the dashboard") { request, _ in
            .answer(request.wantsPage ? DashboardPage.answer : AdminResponse(200, Self.contents))
        },
        // HAProxy's plain probe. It is in no list.
        AdminRoute("OPTIONS", "/", "", for: .everyone, asks: .readiness),
        AdminRoute("GET", "/healthz", "200 while the process lives", for: .everyone) { _, _ in
            .answer(AdminResponse(200, "ok"))
        },
        AdminRoute(
            "GET", "/readyz", "200 if new clients are welcome, else 503; OPTIONS / too", for: .everyone,
            asks: .readiness),
        AdminRoute("GET", "/metrics", "for Prometheus", for: .scrapers, asks: .metrics),
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
            "GET", "/api/closes",
            """
            the last sessions that ended, newest first; ?client=… (an address or a network) &session= &route=
            &endpoint= &cause= &code= (a number or none)
            """
        ) { request, _ throws(AdminResponse) in
            .ask(.closes(try ClosedSessionFilter(request)))
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
        AdminRoute("GET", "/api/certificates", "what clients are shown, and when it expires", asks: .certificates),
        AdminRoute("GET", "/api/configuration", "the file in force, without secrets", asks: .configuration),
        AdminRoute(
            "POST", "/api/explain",
            """
            what would become of a request: {"url": "wss://…", "method": "GET", "origin": "…",
            "subprotocol": "…", "authorization": "…", "client": "an address or unix"}; it changes nothing
            """, changesNothing: true
        ) { request, _ throws(AdminResponse) in
            .ask(.explain(try Gateway.ExplainedRequest(request)))
        },
        AdminRoute(
            "POST", "/api/endpoints",
            """
            {"backend": "…", "endpoint": "…", "state": "drain"}: only clients with a cookie that names it still come;
            "down": none; "up" takes it back; its sessions stay
            """
        ) { request, _ throws(AdminResponse) in
            .ask(.order(try EndpointOrder(request)))
        },
        AdminRoute(
            "GET", "/api/rooms", "the rooms; ?backend=… &limit=100 &after= (`next` of the page before)"
        ) { request, _ throws(AdminResponse) in
            .ask(.rooms(try RoomQuery(request)))
        },
        AdminRoute(
            "GET", "/api/rooms/BACKEND/ROOM", "one room, and which messages are remembered"
        ) { _, parts throws(AdminResponse) in
            .ask(.room(try RoomOrder(.show, parts)))
        },
        AdminRoute(
            "POST", "/api/rooms/BACKEND/ROOM",
            "publish the body to the room; the fields are Content-Type, Idempotency-Key and X-Exclude-Session"
        ) { request, parts throws(AdminResponse) in
            .ask(.room(try RoomOrder(publishing: request, parts)))
        },
        AdminRoute(
            "DELETE", "/api/rooms/BACKEND/ROOM", "forget the messages of the room; its members stay"
        ) { _, parts throws(AdminResponse) in
            .ask(.room(try RoomOrder(.forget, parts)))
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
