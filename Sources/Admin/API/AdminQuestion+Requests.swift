internal import Admission
internal import Configuration
internal import ControlPlane
internal import DataPlane
internal import Sessions

/// What requests ask, from their queries and bodies. All throw the answer to a request that says something else.
extension SessionQuery {
    init(_ request: AdminRequest) throws(AdminResponse) {
        let parameters = try AdminParameters(
            of: request,
            names: ["route", "backend", "endpoint", "client", "subject", "sort", "limit", "after"])
        self.init()
        self.filter = SessionFilter(
            route: try parameters.text("route"), backend: try parameters.text("backend"),
            endpoint: try parameters.text("endpoint"), client: try parameters.network("client"),
            subject: try parameters.text("subject"))
        if let sort = try parameters.text("sort") {
            guard let order = Order(rawValue: sort) else {
                let orders = Order.allCases.map(\.rawValue).joined(separator: ", ")
                throw .error(400, "`sort` is one of \(orders)")
            }
            self.order = order
        }
        if let limit = try parameters.number("limit", in: 1...Self.longestPage) { self.limit = limit }
        if let after = try parameters.text("after") {
            guard let position = Self.position(after, in: self.order) else {
                throw .error(400, "`after` is the `next` of the page before, in the same order")
            }
            self.after = position
        }
    }
}

extension CloseOrder {
    private struct WordsBody: AdminBody {
        enum CodingKeys: CodingKey, CaseIterable { case code, reason }
        typealias Key = CodingKeys
        var code: Int?
        var reason: String?
    }

    private struct Body: AdminBody {
        enum CodingKeys: String, CodingKey, CaseIterable {
            case route, backend, endpoint, client, subject, all, code, reason
            case duration = "for"
        }
        typealias Key = CodingKeys
        var route: String?
        var backend: String?
        var endpoint: String?
        var client: String?
        var subject: String?
        var all: Bool?
        var code: Int?
        var reason: String?
        var duration: String?
    }

    /// How long a subject can be kept out.
    private static let (shortestStay, longestStay) = (Duration.seconds(1), Duration.seconds(168 * 3600))

    /// One session.
    init(ofSession id: Substring, _ request: AdminRequest) throws(AdminResponse) {
        try request.takesNoParameters()
        let body = try request.decoded(as: WordsBody.self)
        try self.init(SessionFilter(), code: body?.code, reason: body?.reason)
        guard let id = SessionID(String(id)) else { throw .noSuchSession }
        self.filter.id = id
    }

    /// All sessions that filters have.
    init(_ request: AdminRequest) throws(AdminResponse) {
        let body = try request.decoded(as: Body.self)
        let isDryRun = try request.dryRun()
        let filter = SessionFilter(
            route: body?.route, backend: body?.backend, endpoint: body?.endpoint,
            client: try body?.client.map { text throws(AdminResponse) in try .named(text, of: "client") },
            subject: body?.subject)
        // An empty name is a variable that was not set: it must not mean all.
        guard ![filter.route, filter.backend, filter.endpoint, filter.subject].contains("") else {
            throw .error(400, "a filter is empty")
        }
        switch (filter == SessionFilter(), body?.all ?? false) {
        case (true, false): throw .error(400, #"name the sessions by a filter, or send {"all": true}"#)
        case (false, true): throw .error(400, "`all` goes with no filter")
        case (true, true), (false, false): break
        }
        try self.init(filter, code: body?.code, reason: body?.reason)
        self.isDryRun = isDryRun
        self.keepingOut = try body?.duration.map { text throws(AdminResponse) in
            try Self.stay(text, of: filter.subject)
        }
    }

    private init(_ filter: SessionFilter, code: Int?, reason: String?) throws(AdminResponse) {
        let code = code ?? Int(Self.defaultCode)
        guard Self.allows(code) else { throw .error(400, "the code has to be \(Self.codesText), not \(code)") }
        let reason = reason ?? ""
        guard reason.utf8.count <= Self.longestReason else {
            throw .error(400, "the reason has at most \(Self.longestReason) bytes")
        }
        self.init(filter, code: UInt16(code), reason: reason)
    }

    private static func stay(_ text: String, of subject: String?) throws(AdminResponse) -> Duration {
        guard let subject else { throw .error(400, "`for` goes with a subject: that is kept out") }
        guard let duration = Duration(written: text, within: self.shortestStay...self.longestStay) else {
            throw .error(400, "`for` is a duration from 1s to 168h, such as 10m")
        }
        guard subject.utf8.count <= RevokedSubjects.longest else {
            throw .error(400, "a subject that is kept out has at most \(RevokedSubjects.longest) bytes")
        }
        return duration
    }
}

extension AdminQuestion {
    private struct DrainBody: AdminBody {
        enum CodingKeys: CodingKey, CaseIterable { case backend, endpoint, undo }
        typealias Key = CodingKeys
        var backend: String?
        var endpoint: String?
        var undo: Bool?
    }

    init(drain request: AdminRequest) throws(AdminResponse) {
        try request.takesNoParameters()
        let body = try request.decoded(as: DrainBody.self)
        let undo = body?.undo ?? false
        switch (body?.backend, body?.endpoint) {
        case (nil, nil):
            guard !undo else { throw .error(400, "a drain of the whole gateway cannot be undone: name a backend") }
            self = .drain(.process, undo: false)
        case (nil, _?): throw .error(400, "an endpoint needs its backend")
        case (let backend?, nil): self = .drain(.backend(backend), undo: undo)
        case (let backend?, let endpoint?): self = .drain(.endpoint(backend: backend, name: endpoint), undo: undo)
        }
    }
}

extension Gateway.ExplainedRequest {
    private struct Body: AdminBody {
        enum CodingKeys: CodingKey, CaseIterable { case url, method, origin, subprotocol, authorization, client }
        typealias Key = CodingKeys
        var url: String?
        var method: String?
        var origin: String?
        var subprotocol: String?
        var authorization: String?
        var client: String?
    }

    init(_ request: AdminRequest) throws(AdminResponse) {
        let body = try request.decoded(as: Body.self)
        guard let url = body?.url else { throw .error(400, #"name the URL: {"url": "wss://…"}"#) }
        self.init(url: url)
        if let method = body?.method { self.method = method }
        self.origin = body?.origin
        self.subprotocols = body?.subprotocol?.split(separator: ",").map { String($0.trimmed) } ?? []
        self.authorization = body?.authorization
        switch body?.client {
        case nil: break
        case "unix": self.peer = .unix
        case let text?:
            guard let address = IPAddress(text) else { throw .error(400, "`client` is an IP address or unix") }
            self.peer = .address(address)
        }
    }
}

extension EndpointOrder {
    private struct Body: AdminBody {
        enum CodingKeys: CodingKey, CaseIterable { case backend, endpoint, state }
        typealias Key = CodingKeys
        var backend: String
        var endpoint: String
        var state: String
    }

    init(_ request: AdminRequest) throws(AdminResponse) {
        try request.takesNoParameters()
        guard let body = try request.decoded(as: Body.self) else {
            throw .error(400, "name the endpoint: {\"backend\": \"…\", \"endpoint\": \"…\", \"state\": \"drain\"}")
        }
        guard let state = State(rawValue: body.state) else {
            throw .error(400, "`state` is one of \(State.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        self.init(backend: body.backend, endpoint: body.endpoint, state: state)
    }
}
