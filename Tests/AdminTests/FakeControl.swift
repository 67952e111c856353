import Admission
import Configuration
import DataPlane
import HTTP1
import Sessions
import System
import TLS

@testable import Admin
@testable import ControlPlane
@testable import Observability

/// A gateway that notes the questions, and answers when the test says so.
final class FakeControl: GatewayControl {
    let loop: EventLoop
    var readiness = Gateway.Readiness.ready
    var rows: [SessionRow] = []
    var backendRows: [BackendRow] = []
    var families: [MetricFamily] = []
    var reloadOutcome = ReloadOutcome.applied(closing: [:], kept: 0, awaitingStart: [])
    var drainOutcome = DrainOutcome.draining(sessions: 0)
    /// Whether answers wait in `waiting` instead of being given at once.
    var isSlow = false
    private(set) var waiting: [() -> Void] = []
    /// Whether work for another thread waits in `aside`.
    var holdsAside = false
    private(set) var aside: [() -> Void] = []
    private(set) var closed: [CloseOrder] = []
    private(set) var drained: [(selection: DrainSelection, undo: Bool)] = []
    private(set) var reloads: [Bool] = []

    init() throws { self.loop = try EventLoop() }

    private func give(_ answer: @escaping () -> Void) {
        if self.isSlow { self.waiting.append(answer) } else { answer() }
    }

    private(set) var queries: [SessionQuery] = []

    func sessions(_ query: SessionQuery, answer: @escaping (@escaping @Sendable () -> SessionPage) -> Void) {
        self.queries.append(query)
        let page = self.page
        self.give { answer { page } }
    }

    /// All rows.
    private var page: SessionPage {
        var page = SessionPage()
        page.rows = self.rows.compactMap { row in
            SessionQuery.position(row.id, in: .id).map { (position: $0, row: row) }
        }
        page.total = page.rows.count
        return page
    }

    /// The answer with all rows.
    var sessionsAnswer: AdminResponse { .sessions(self.page, of: SessionQuery()) }

    /// What `unknown` says of every filter.
    var unknownName: String?

    func unknown(_ filter: SessionFilter) -> String? { self.unknownName }

    func closeSessions(_ order: CloseOrder, answer: @escaping (CloseOutcome) -> Void) {
        self.closed.append(order)
        let count = self.rows.count { row in
            order.filter.id.map { $0.description == row.id } ?? true
                && order.filter.subject.map { $0 == row.subject } ?? true
        }
        let outcome = self.unknownName.map { CloseOutcome.unknown($0) } ?? .matched(count)
        self.give { answer(outcome) }
    }

    var shownCertificates: [CertificateRow] = []
    var configurationText = ConfigurationText()
    private(set) var explained: [Gateway.ExplainedRequest] = []

    func explain(
        _ request: Gateway.ExplainedRequest, answer: @escaping (@escaping @Sendable () -> Explanation) -> Void
    ) {
        self.explained.append(request)
        self.give { answer { Explanation.explain(GatewayConfiguration(), url: request.url) } }
    }

    /// What becomes of each password, by the field that has it.
    var logins: [String: Gateway.Login] = [:]
    var adminTLS: (settings: TLSServerSettings, tickets: TicketKeys)?

    func login(
        _ fields: HTTPFields, _ settings: BasicSettings, from address: SocketAddress,
        answer: @escaping (Gateway.Login) -> Void
    ) -> PasswordCheck? {
        let login = fields.first("Authorization").map { self.logins[$0] ?? .refused } ?? .absent
        self.give { answer(login) }
        return nil
    }

    private(set) var orders: [EndpointOrder] = []
    var orderProblem: String?

    func order(_ order: EndpointOrder) -> String? {
        self.orders.append(order)
        return self.orderProblem
    }

    func rooms(of backend: String) -> RoomDesk? { nil }

    private(set) var roomQueries: [RoomQuery] = []

    func rooms(_ query: RoomQuery, answer: @escaping (@escaping @Sendable () -> RoomPage) -> Void) {
        self.roomQueries.append(query)
        self.give { answer { RoomPage([], query, earlier: [], seconds: 0) } }
    }

    func status(answer: @escaping (GatewayStatus) -> Void) {
        self.give {
            answer(
                GatewayStatus(
                    version: "1", process: 2, started: "2026-01-01T00:00:00Z", uptime: .seconds(3), workers: 4,
                    sessions: 5, connections: 9, isDraining: false, memory: 6, memoryLimit: 7, openFilesLimit: 8,
                    listeners: ["ws://a"])
            )
        }
    }

    private(set) var failures: [String] = []

    func logAdminFailed(_ error: StartError) { self.failures.append("\(error)") }

    private(set) var changes: [(change: AdminChange, asker: String)] = []

    func log(_ change: AdminChange, by asker: String) { self.changes.append((change, asker)) }

    func backends(answer: @escaping (@escaping @Sendable () -> [BackendRow]) -> Void) {
        let rows = self.backendRows
        self.give { answer { rows } }
    }

    func metrics(answer: @escaping (@escaping @Sendable () -> [MetricFamily]) -> Void) {
        let families = self.families
        self.give { answer { families } }
    }

    var lastCloses: [ClosedSession] = []
    var lastRefusals: [RefusedRequest] = []
    var activity: [ActivityPoint] = []
    /// What listens to events.
    private(set) var tell: ((GatewayEvent) -> Void)?

    func listen(_ tell: @escaping (GatewayEvent) -> Void) { self.tell = tell }

    func stopListening() { self.tell = nil }

    func aside<Value: Sendable>(_ make: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void) {
        guard self.holdsAside else { return then(make()) }
        self.aside.append { then(make()) }
    }

    func reload(dryRun: Bool, answer: @escaping (ReloadOutcome) -> Void) {
        self.reloads.append(dryRun)
        self.give { answer(self.reloadOutcome) }
    }

    func drain(_ selection: DrainSelection, undo: Bool, answer: @escaping (DrainOutcome) -> Void) {
        self.drained.append((selection, undo))
        self.give { answer(self.drainOutcome) }
    }

    /// Whether there is what a tail is asked of.
    var knowsTail = true
    private(set) var tails: [(tail: Tail, receive: ([Tail.News]) -> Void)] = []
    private(set) var endedTails: [Tail] = []

    func beginTail(
        _ selection: TailSelection, showsPayloads: Bool, receive: @escaping ([Tail.News]) -> Void,
        answer: @escaping (Tail?) -> Void
    ) {
        guard self.knowsTail else { return self.give { answer(nil) } }
        let tail = Tail(
            selection, showsPayloads: showsPayloads, MemoryBound(limit: .max), memoryRose: {}, deliver: { _, _ in })
        self.tails.append((tail, receive))
        self.give { answer(tail) }
    }

    func endTail(_ tail: Tail) { self.endedTails.append(tail) }
}

extension SessionRow {
    static func sample(_ id: String = "00000000000000a1") -> SessionRow {
        SessionRow(
            id: id, route: "/echo", client: "192.0.2.1", phase: "serve", age: .milliseconds(1500), idle: .seconds(2))
    }
}
