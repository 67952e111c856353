import DataPlane
import Sessions
import System

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
    var drainOutcome = Gateway.DrainOutcome.draining(sessions: 0)
    /// Whether answers wait in `waiting` instead of being given at once.
    var isSlow = false
    private(set) var waiting: [() -> Void] = []
    /// Whether work for another thread waits in `aside`.
    var holdsAside = false
    private(set) var aside: [() -> Void] = []
    private(set) var closed: [CloseOrder] = []
    private(set) var drained: [(selection: Gateway.DrainSelection, undo: Bool)] = []
    private(set) var reloads: [Bool] = []

    init() throws { self.loop = try EventLoop() }

    private func give(_ answer: @escaping () -> Void) {
        if self.isSlow { self.waiting.append(answer) } else { answer() }
    }

    func sessions(
        ofSubject subject: String?, answer: @escaping (@escaping @Sendable () -> [SessionRow]) -> Void
    ) {
        let rows = self.rows.filter { subject == nil || $0.subject == subject }
        self.give { answer { rows } }
    }

    func closeSession(id: SessionID, code: UInt16, reason: String, answer: @escaping (Bool) -> Void) {
        self.closed.append(CloseOrder(id: id, code: code, reason: reason))
        self.give { answer(self.rows.contains { $0.id == id.description }) }
    }

    private(set) var closedSubjects: [(subject: String, dryRun: Bool)] = []

    func closeSessions(
        ofSubject subject: String, keepingOut duration: Duration?, dryRun: Bool, answer: @escaping (Int?) -> Void
    ) {
        self.closedSubjects.append((subject, dryRun))
        let count = self.rows.count { $0.subject == subject }
        self.give { answer(count) }
    }

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

    func drain(_ selection: Gateway.DrainSelection, undo: Bool, answer: @escaping (Gateway.DrainOutcome) -> Void) {
        self.drained.append((selection, undo))
        self.give { answer(self.drainOutcome) }
    }
}

extension SessionRow {
    static func sample(_ id: String = "00000000000000a1") -> SessionRow {
        SessionRow(
            id: id, route: "/echo", client: "192.0.2.1", phase: "serve", age: .milliseconds(1500), idle: .seconds(2))
    }
}
