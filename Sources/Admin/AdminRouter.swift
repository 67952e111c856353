internal import Configuration
internal import ControlPlane
internal import DataPlane
internal import FoundationEssentials
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
        do throws(AdminResponse) {
            switch request.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            case [""] where request.method == "OPTIONS": return .ask(.readiness)
            case [""]:
                try Self.demand("GET", request)
                return .answer(AdminResponse(200, Self.contents))
            case ["healthz"]:
                try Self.demand("GET", request)
                return .answer(AdminResponse(200, "ok"))
            case ["readyz"]: return try Self.ask(.readiness, "GET", request)
            case ["metrics"]: return try Self.ask(.metrics, "GET", request)
            case ["api", "sessions"]:
                try Self.demand("GET", request)
                return .ask(.sessions(ofSubject: try Self.subject(request)))
            case ["api", "sessions", "close"]:
                try Self.demand("POST", request)
                return .ask(try Self.closeSubject(request))
            case ["api", "backends"]: return try Self.ask(.backends, "GET", request)
            case ["api", "closes"]:
                try Self.demand("GET", request)
                return .ask(.closes(causedBy: try Self.cause(request)))
            case ["api", "refusals"]: return try Self.ask(.refusals, "GET", request)
            case ["api", "history"]: return try Self.ask(.history, "GET", request)
            case ["api", "events"]:
                try Self.demand("GET", request)
                return .open(.events)
            case let path where path.count == 4 && path.starts(with: ["api", "sessions"]) && path.last == "close":
                try Self.demand("POST", request)
                return .ask(.close(try Self.closeOrder(path[path.startIndex + 2], request)))
            case ["api", "reload"]:
                try Self.demand("POST", request)
                return .ask(.reload(dryRun: try Self.dryRun(request)))
            case ["api", "drain"]:
                try Self.demand("POST", request)
                return .ask(try Self.drain(request))
            default: throw .error(404, "there is nothing here; / says what there is")
            }
        } catch {
            return .answer(error)
        }
    }

    /// The answer at `/`.
    private static let contents = """
        gateway

        GET  /healthz                 200 while the process lives
        GET  /readyz                  200 if new clients are welcome, else 503; OPTIONS / too
        GET  /metrics                 for Prometheus
        GET  /api/sessions            the live sessions, as JSON; ?subject=… only those of a subject
        GET  /api/closes              the last sessions that ended, newest first, as JSON; ?cause=… only those with a cause
        GET  /api/refusals            the last clients that were turned away, newest first, as JSON
        GET  /api/history             what was counted in the last 15 minutes, in steps of 10 s, as JSON
        GET  /api/events              what happens, as it happens, and a summary each second: a WebSocket
        GET  /api/backends            the backends and their endpoints, as JSON
        POST /api/sessions/ID/close   close a session: {"code": 1008, "reason": "…"}
        POST /api/sessions/close      close all sessions of a subject: {"subject": "…"}; "for": "10m" keeps it out for so long;
                                      ?dry-run=true only counts them
        POST /api/reload              apply the configuration file; ?dry-run=true only says what would close
        POST /api/drain               close everything gently, then exit;
                                      {"backend": "…", "endpoint": "…"} for a part, "undo": true takes it back
        """

    // MARK: - Methods

    private static func ask(
        _ question: AdminQuestion, _ method: String, _ request: AdminRequest
    ) throws(AdminResponse) -> Decision {
        try self.demand(method, request)
        return .ask(question)
    }

    /// Checks the method. HEAD is permitted where GET is (RFC 9110 section 9.3.2).
    private static func demand(_ method: String, _ request: AdminRequest) throws(AdminResponse) {
        if request.method == method || method == "GET" && request.method == "HEAD" { return }
        var refusal = AdminResponse.error(405, "\(method) is the method of this")
        refusal.fields.append("Allow", method == "GET" ? "GET, HEAD" : method)
        throw refusal
    }

    private static func dryRun(_ request: AdminRequest) throws(AdminResponse) -> Bool {
        guard let dryRun = request.flag("dry-run") else { throw .error(400, "`dry-run` is true or false") }
        return dryRun
    }

    /// The subject in the query; `nil`: there is none.
    private static func subject(_ request: AdminRequest) throws(AdminResponse) -> String? {
        let subjects = QueryParameters(request.query).values("subject")
        guard subjects.count <= 1, subjects.first?.isEmpty != true else {
            throw .error(400, "name one subject: ?subject=…")
        }
        return subjects.first
    }

    /// The cause in the query; `nil`: there is none.
    private static func cause(_ request: AdminRequest) throws(AdminResponse) -> Cause? {
        let causes = QueryParameters(request.query).values("cause")
        guard let word = causes.first else { return nil }
        guard causes.count == 1, let cause = Cause(rawValue: word) else {
            throw .error(400, "`cause` is one of \(Cause.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return cause
    }

    // MARK: - Bodies

    /// A body that knows all of its keys, so that an unknown one is an error. If a misspelt `backend` were ignored, the whole gateway
    /// would drain.
    private protocol Body: Decodable {
        associatedtype Key: CodingKey & CaseIterable
    }

    private struct CloseBody: Body {
        enum CodingKeys: CodingKey, CaseIterable { case code, reason }
        typealias Key = CodingKeys
        var code: Int?
        var reason: String?
    }

    private struct SubjectBody: Body {
        enum CodingKeys: String, CodingKey, CaseIterable {
            case subject
            case duration = "for"
        }
        typealias Key = CodingKeys
        var subject: String
        var duration: String?
    }

    private struct DrainBody: Body {
        enum CodingKeys: CodingKey, CaseIterable { case backend, endpoint, undo }
        typealias Key = CodingKeys
        var backend: String?
        var endpoint: String?
        var undo: Bool?
    }

    /// The keys of any object.
    private struct AnyKeys: Decodable {
        struct Name: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        var names: [String]

        init(from decoder: any Decoder) throws {
            self.names = try decoder.container(keyedBy: Name.self).allKeys.map(\.stringValue)
        }
    }

    private static func closeOrder(_ id: Substring, _ request: AdminRequest) throws(AdminResponse) -> CloseOrder {
        let body = try self.body(of: request, as: CloseBody.self)
        let code = body?.code ?? Int(CloseOrder.defaultCode)
        guard CloseOrder.allows(code) else {
            throw .error(400, "the code has to be \(CloseOrder.codesText), not \(code)")
        }
        let reason = body?.reason ?? ""
        guard reason.utf8.count <= CloseOrder.longestReason else {
            throw .error(400, "the reason has at most \(CloseOrder.longestReason) bytes")
        }
        guard let id = SessionID(String(id)) else { throw .noSuchSession }
        return CloseOrder(id: id, code: UInt16(code), reason: reason)
    }

    /// How long a subject can be kept out.
    private static let (shortestStay, longestStay) = (Duration.seconds(1), Duration.seconds(168 * 3600))

    private static func closeSubject(_ request: AdminRequest) throws(AdminResponse) -> AdminQuestion {
        guard let body = try self.body(of: request, as: SubjectBody.self), !body.subject.isEmpty else {
            throw .error(400, "name the subject: {\"subject\": \"…\"}")
        }
        guard let text = body.duration else {
            return .closeSubject(body.subject, for: nil, dryRun: try self.dryRun(request))
        }
        guard let duration = Duration(written: text, within: self.shortestStay...self.longestStay) else {
            throw .error(400, "`for` is a duration from 1s to 168h, such as 10m")
        }
        guard body.subject.utf8.count <= RevokedSubjects.longest else {
            throw .error(400, "a subject that is kept out has at most \(RevokedSubjects.longest) bytes")
        }
        return .closeSubject(body.subject, for: duration, dryRun: try self.dryRun(request))
    }

    private static func drain(_ request: AdminRequest) throws(AdminResponse) -> AdminQuestion {
        let body = try self.body(of: request, as: DrainBody.self)
        let undo = body?.undo ?? false
        switch (body?.backend, body?.endpoint) {
        case (nil, nil):
            guard !undo else { throw .error(400, "a drain of the whole gateway cannot be undone: name a backend") }
            return .drain(.process, undo: false)
        case (nil, _?): throw .error(400, "an endpoint needs its backend")
        case (let backend?, nil): return .drain(.backend(backend), undo: undo)
        case (let backend?, let endpoint?): return .drain(.endpoint(backend: backend, name: endpoint), undo: undo)
        }
    }

    /// Decodes the body as JSON, whatever its Content-Type is; `nil` if there is no body.
    private static func body<Content: Body>(
        of request: AdminRequest, as type: Content.Type
    ) throws(AdminResponse) -> Content? {
        guard !request.body.isEmpty else { return nil }
        let known = Content.Key.allCases.map(\.stringValue)
        let data = Data(request.body)
        let content: Content
        let names: [String]
        do {
            content = try JSONDecoder().decode(type, from: data)
            names = try JSONDecoder().decode(AnyKeys.self, from: data).names
        } catch {
            throw .error(400, "the body has to be a JSON object of \(known.joined(separator: ", "))")
        }
        if let unknown = names.sorted().first(where: { !known.contains($0) }) {
            throw .error(400, "unknown key \(unknown): there are \(known.joined(separator: ", "))")
        }
        return content
    }
}
