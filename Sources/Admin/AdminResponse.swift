public import ControlPlane
public import DataPlane
public import HTTP1
public import Observability
internal import Sessions

/// An answer of the admin address. The connection is closed behind it.
public struct AdminResponse: Error, Equatable, Sendable {
    /// The HTTP status.
    public var status: Int
    /// The value of Content-Type.
    public var contentType: String
    /// Fields beside those that every answer has.
    public var fields: HTTPFields
    /// The body.
    public var body: [UInt8]

    /// An answer with a body of any type.
    public init(_ status: Int, contentType: String, body: [UInt8], fields: HTTPFields = HTTPFields()) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.fields = fields
    }

    /// An answer with a line of text. The newline is added.
    public init(_ status: Int, _ text: String, fields: HTTPFields = HTTPFields()) {
        self.init(
            status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8) + [.lineFeed], fields: fields)
    }

    /// The answer in HTTP/1.1.
    ///
    /// - Parameters:
    /// - forHead: whether it answers a HEAD: then it says the length of the body but has none.
    /// - date: the time, in the format of HTTP (RFC 9110 section 5.6.7).
    public func bytes(forHead: Bool = false, date: String) -> [UInt8] {
        // Answers are true for the moment only, so they are not cached (RFC 9111 section 5.2.2.5). With "nosniff" (Fetch standard) no
        // browser runs them as a script.
        var fields: HTTPFields = [
            "Date": date, "Content-Type": self.contentType, "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        ]
        for field in self.fields { fields.append(field) }
        fields.append("Content-Length", String(self.body.count))
        fields.append("Connection", "close")
        let head = ResponseHead(status: self.status, reason: reasonPhrase(ofStatus: self.status), fields: fields)
        return forHead ? head.bytes : head.bytes + self.body
    }
}

/// The gateway's answers: JSON with the same words as the log, and metrics for Prometheus.
extension AdminResponse {
    /// An error in JSON.
    static func error(_ status: Int, _ message: String) -> AdminResponse {
        .json(status) { $0.member("error", message) }
    }

    static var noSuchSession: AdminResponse { .error(404, "there is no such session") }

    static var tooManySubjects: AdminResponse { .error(503, "as many subjects are kept out as can be") }

    static var tooManySockets: AdminResponse {
        var refusal = AdminResponse.error(503, "as many listen as can, \(AdminServer.mostSockets)")
        refusal.fields.append("Retry-After", "5")
        return refusal
    }

    static func closing(_ order: CloseOrder) -> AdminResponse {
        .json {
            $0.member("id", order.id.description)
            $0.member("code", order.code)
        }
    }

    /// Of the sessions of a subject.
    static func closing(_ matched: Int, dryRun: Bool) -> AdminResponse {
        .json {
            $0.member("matched", matched)
            $0.member("closed", dryRun ? 0 : matched)
        }
    }

    /// The list of sessions.
    public static func sessions(_ rows: [SessionRow]) -> AdminResponse {
        .json { $0.array("sessions", rows) { $0.session($1) } }
    }

    /// The metrics, as Prometheus reads them.
    public static func metrics(_ families: [MetricFamily]) -> AdminResponse {
        AdminResponse(200, contentType: MetricsText.contentType, body: Array(MetricsText.text(families).utf8))
    }

    /// The list of backends.
    public static func backends(_ rows: [BackendRow]) -> AdminResponse {
        .json { $0.array("backends", rows) { $0.backend($1) } }
    }

    /// The result of a reload. A refused one is a 422.
    ///
    /// - Parameter dryRun: whether nothing was changed.
    public static func reload(_ outcome: ReloadOutcome, dryRun: Bool) -> AdminResponse {
        switch outcome {
        case .applied(let closing, let kept, let awaitingStart):
            .json {
                $0.member("dry_run", dryRun)
                $0.member("closing", closing.values.reduce(0, +))
                $0.member("kept", kept)
                $0.array("reasons", closing.sorted { $0.key < $1.key }) { json, reason in
                    json.member("reason", reason.key)
                    json.member("sessions", reason.value)
                }
                $0.strings("awaiting_start", awaitingStart)
            }
        case .refused(let mistakes):
            .json(422) {
                $0.member("error", "refused, and nothing was changed")
                $0.strings("mistakes", mistakes)
            }
        }
    }

    /// The result of a drain. An unknown backend or endpoint is a 404.
    public static func drain(_ outcome: Gateway.DrainOutcome) -> AdminResponse {
        switch outcome {
        case .draining(let sessions):
            .json {
                $0.member("draining", true)
                $0.member("sessions", sessions)
            }
        case .undrained: .json { $0.member("draining", false) }
        case .unknown(let what): .error(404, what)
        }
    }

    /// 200 if new clients are welcome, else 503.
    public static func readiness(_ readiness: Gateway.Readiness) -> AdminResponse {
        switch readiness {
        case .ready: AdminResponse(200, "ready")
        case .draining: AdminResponse(503, "draining")
        case .noListener: AdminResponse(503, "no listener")
        }
    }

    static func json(_ status: Int = 200, _ members: (inout JSONText) -> Void) -> AdminResponse {
        var text = JSONText()
        text.object(nil, members)
        return AdminResponse(status, contentType: "application/json", body: text.bytes + [.lineFeed])
    }
}

extension JSONText {
    fileprivate mutating func session(_ row: SessionRow) {
        self.member("id", row.id)
        self.member("route", row.route)
        self.member("backend", row.backend)
        self.member("endpoint", row.endpoint)
        self.member("client", row.client)
        self.member("phase", row.phase)
        self.member("age_seconds", row.age)
        self.member("idle_seconds", row.idle)
        self.member("origin", row.origin)
        self.member("subject", row.subject)
        self.member("subprotocol", row.subprotocol)
        self.member("tls", row.tls)
        self.member("messages_to_backend", row.messagesToBackend)
        self.member("messages_to_client", row.messagesToClient)
        self.member("bytes_to_backend", row.bytesToBackend)
        self.member("bytes_to_client", row.bytesToClient)
        self.member("queued_for_client", row.queuedForClient)
        self.member("queued_for_backend", row.queuedForBackend)
        self.member("client_rtt_seconds", row.clientRTT)
        self.member("backend_rtt_seconds", row.backendRTT)
    }

    fileprivate mutating func backend(_ row: BackendRow) {
        self.member("name", row.name)
        self.member("kind", row.kind)
        self.member("sessions", row.sessions)
        self.array("endpoints", row.endpoints) { json, endpoint in
            json.member("name", endpoint.name)
            json.member("state", endpoint.state)
            json.member("reason", endpoint.reason)
            json.member("since_seconds", endpoint.since)
            json.member("sessions", endpoint.sessions)
            json.member("weight", endpoint.weight)
            json.member("backup", endpoint.isBackup)
        }
    }
}
