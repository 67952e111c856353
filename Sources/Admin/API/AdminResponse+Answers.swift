public import Admission
public import Configuration
public import ControlPlane
internal import Credentials
public import DataPlane
internal import HTTP1
public import Observability
internal import Sessions
internal import System

/// The gateway's answers: JSON with the same words as the log, and metrics for Prometheus.
extension AdminResponse {
    static var noSuchSession: AdminResponse { .error(404, "there is no such session") }

    static func nothingToTail(_ selection: TailSelection) -> AdminResponse {
        switch selection {
        case .session: .error(404, "there is no such session, or it is not open")
        case .route(let name): .error(404, "there is no route \(name.cut)")
        }
    }

    /// Of one session, or of all that filters have.
    ///
    /// - Parameter matched: how many there are; `nil`: none was closed, because no more subjects can be kept out.
    static func closing(_ order: CloseOrder, matched: Int?) -> AdminResponse {
        guard let matched else { return .error(503, "as many subjects are kept out as can be") }
        guard let id = order.filter.id else {
            return .json {
                $0.member("matched", matched)
                $0.member("closed", order.isDryRun ? 0 : matched)
            }
        }
        guard matched > 0 else { return .noSuchSession }
        return .json {
            $0.member("id", id.description)
            $0.member("code", order.code)
        }
    }

    /// A page of the list of sessions.
    public static func sessions(_ page: SessionPage, of query: SessionQuery) -> AdminResponse {
        .json {
            $0.array("sessions", page.rows) { $0.session($1.row) }
            $0.member("total", page.total)
            let last = page.hasMore ? page.rows.last : nil
            $0.member("next", last.map { SessionQuery.text($0.position, in: query.order) })
        }
    }

    static func order(_ order: EndpointOrder) -> AdminResponse {
        .json {
            $0.member("backend", order.backend)
            $0.member("endpoint", order.endpoint)
            $0.member("state", order.state.rawValue)
        }
    }

    /// What the process does.
    static func status(_ status: GatewayStatus) -> AdminResponse {
        .json {
            $0.member("version", status.version)
            $0.member("process", status.process)
            $0.member("started", status.started)
            $0.member("uptime_seconds", status.uptime)
            $0.member("workers", status.workers)
            $0.member("sessions", status.sessions)
            $0.member("connections", status.connections)
            $0.member("draining", status.isDraining)
            $0.member("drain_ends_in_seconds", status.drainEndsIn)
            $0.member("read_only", status.isReadOnly)
            $0.member("payloads", status.showsPayloads)
            $0.member("memory_bytes", status.memory)
            $0.member("memory_limit_bytes", status.memoryLimit)
            $0.member("open_files", status.openFiles)
            $0.member("open_files_limit", status.openFilesLimit)
            $0.strings("listeners", status.listeners)
            if let cluster = status.cluster {
                $0.object("cluster") {
                    $0.member("server", cluster.server)
                    $0.member("up", cluster.isUp)
                    $0.member("since_seconds", MonotonicInstant.now() - cluster.since)
                }
            } else {
                $0.member("cluster", nil as String?)
            }
            $0.object("last_reload") { reload in
                reload.member("at", status.lastReload?.at)
                reload.member("result", status.lastReload?.result)
                reload.strings("mistakes", status.lastReload?.mistakes ?? [])
            }
        }
    }

    /// The metrics, as Prometheus reads them.
    public static func metrics(_ families: [MetricFamily]) -> AdminResponse {
        AdminResponse(200, contentType: MetricsText.contentType, body: Array(MetricsText.text(families).utf8))
    }

    /// The list of backends.
    public static func backends(_ rows: [BackendRow]) -> AdminResponse {
        .json { $0.array("backends", rows) { $0.backend($1) } }
    }

    /// The certificates that clients are shown.
    ///
    /// - Parameter now: seconds since 1970.
    public static func certificates(_ rows: [CertificateRow], now: Int64) -> AdminResponse {
        .json {
            $0.array("certificates", rows) { json, row in
                json.member("listener", row.listener)
                json.strings("names", row.names)
                json.member("not_after", WallClock.rfc3339(seconds: row.notAfter))
                json.member("expires_in_seconds", row.notAfter - now)
                json.member("issuer", row.issuer)
                json.member("kind", row.kind)
            }
        }
    }

    /// The configuration in force, without secrets.
    public static func configuration(_ text: ConfigurationText) -> AdminResponse {
        .json {
            $0.member("text", ShownConfiguration.text(of: text.bytes))
            $0.member("file", text.path)
            $0.member("loaded_at", text.time)
            $0.strings("awaiting_start", text.awaitingStart)
        }
    }

    /// What would become of a request.
    public static func explanation(_ explanation: Explanation) -> AdminResponse {
        .json {
            $0.member("admitted", explanation.isServed)
            $0.member("status", explanation.status)
            $0.member("reason", explanation.reason)
            $0.member("cure", explanation.cure)
            $0.member("route", explanation.route)
            $0.member("backend", explanation.backend)
            $0.array("endpoints", explanation.endpoints) { json, endpoint in
                json.member("name", endpoint.name)
                json.member("state", endpoint.state)
                json.member("checked", endpoint.isChecked)
                json.member("reason", endpoint.reason)
            }
            $0.member("listener", explanation.listener)
            if let last = explanation.lastRefusal {
                $0.object("last_refusal") {
                    $0.member("at", last.at)
                    $0.member("status", last.status)
                    $0.member("reason", last.reason)
                }
            } else {
                $0.member("last_refusal", nil as String?)
            }
            $0.strings("lines", explanation.text.split(separator: "\n").map { String($0) })
        }
    }

    /// Of a request without a good password.
    ///
    /// - Parameter login: not that of a user.
    public static func unidentified(_ login: Gateway.Login, _ settings: BasicSettings) -> AdminResponse {
        switch login {
        case .crowded: return .error(503, "too many passwords are being verified", fields: ["Retry-After": "1"])
        case .absent, .refused, .user:
            let text = login == .absent ? "a user and a password are needed here" : "the user or the password is wrong"
            return .error(401, text, fields: ["WWW-Authenticate": Challenge.value(settings)])
        }
    }

    /// The result of a reload. A refused one is a 422.
    ///
    /// - Parameter dryRun: whether nothing was changed.
    public static func reload(_ outcome: ReloadOutcome, dryRun: Bool) -> AdminResponse {
        switch outcome {
        case .applied(let closing, let kept, let awaitingStart, let files):
            .json {
                $0.member("dry_run", dryRun)
                $0.member("closing", closing.values.reduce(0, +))
                $0.member("kept", kept)
                $0.array("reasons", closing.sorted { $0.key < $1.key }) { json, reason in
                    json.member("reason", reason.key)
                    json.member("sessions", reason.value)
                }
                $0.strings("awaiting_start", awaitingStart)
                if let files { $0.strings("changes", ConfigurationChanges.lines(from: files.old, to: files.new)) }
            }
        case .refused(let mistakes):
            .json(422) {
                $0.member("error", "refused, and nothing was changed")
                $0.strings("mistakes", mistakes)
            }
        }
    }

    /// The result of a drain. An unknown backend or endpoint is a 404.
    public static func drain(_ outcome: DrainOutcome) -> AdminResponse {
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
        self.member("queue_limit", row.queueLimit)
        self.member("credential_expires_in_seconds", row.credentialExpiresIn)
        if let rate = row.rate { self.member("rate", rounded: rate) }
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
            json.member("checked", endpoint.isChecked)
            json.member("order", endpoint.order)
            json.member("reason", endpoint.reason)
            json.member("since_seconds", endpoint.since)
            json.member("sessions", endpoint.sessions)
            json.member("weight", endpoint.weight)
            json.member("backup", endpoint.isBackup)
            json.member("last_check_seconds", endpoint.lastCheck)
            json.member("check_seconds", endpoint.checkTime)
        }
    }
}
