import Configuration
import Synchronization
import System
import TestSupport
import Testing

@testable import ControlPlane
@testable import DataPlane
@testable import Observability

/// Health checks on a thread of their own, as on the control thread, while the test plays the endpoint.
final class ChecksUnderTest: Sendable {
    private final class Question: Sendable {
        let body: @Sendable (HealthChecks) throws -> Bool
        let result = Mutex<Result<Bool, any Error>>(.success(false))
        let doorbell: Doorbell

        init(_ body: @escaping @Sendable (HealthChecks) throws -> Bool) throws {
            self.body = body
            self.doorbell = try Doorbell()
        }

        /// Whether the answer is yes.
        func ask(_ checks: HealthChecks) -> Bool {
            let result = Result { try self.body(checks) }
            if case .success(false) = result { return false }
            self.result.withLock { $0 = result }
            self.doorbell.ring()
            return true
        }
    }

    private enum Message: Sendable {
        case question(Question)
        case stop
    }

    private let mailbox: Mailbox<Message>
    private let thread: Thread.Handle
    private let logPath: String

    private init() throws {
        let path = temporaryPath(".log")
        let mailbox = try Mailbox<Message>()
        self.logPath = path
        self.mailbox = mailbox
        self.thread = try Thread.start("test-checks") {
            do { try Self.run(mailbox, logPath: path) } catch { Issue.record(error) }
        }
    }

    private static func run(_ mailbox: Mailbox<Message>, logPath: String) throws {
        var settings = GatewayConfiguration.Log()
        settings.file = logPath
        settings.format = .json
        settings.level = .debug
        let log = try Log(settings)
        let loop = try EventLoop()
        let checks = HealthChecks(log: log, loop: loop) { _ in }
        var questions: [(question: Question, deadline: MonotonicInstant)] = []
        var isRunning = true
        try mailbox.open(on: loop) { message in
            switch message {
            case .question(let question): questions.append((question, .now() + .seconds(20)))
            case .stop: isRunning = false
            }
        }
        while isRunning {
            loop.turn(waitingAtMost: .seconds(1))
            questions.removeAll { $0.question.ask(checks) }
            let now = MonotonicInstant.now()
            // A condition that does not hold by now will never hold.
            for (question, deadline) in questions where deadline < now { question.doorbell.ring() }
            questions.removeAll { $0.deadline < now }
        }
        checks.stop()
        log.close()
    }

    /// Runs checks during `body`. `inspect` gets their log.
    static func run(
        _ body: (ChecksUnderTest) throws -> Void, log inspect: ([LogLine]) throws -> Void = { _ in }
    ) throws {
        let checks = try ChecksUnderTest()
        defer { removeFile(checks.logPath) }
        do {
            defer {
                checks.mailbox.send(.stop)
                checks.thread.join()
            }
            try body(checks)
        }
        try inspect(LogLine.all(FileContents.read(checks.logPath)))
    }

    /// Returns once `body` is true on the thread of the checks.
    func wait(
        _ location: SourceLocation = #_sourceLocation, until body: @escaping @Sendable (HealthChecks) throws -> Bool
    ) throws {
        let question = try Question(body)
        self.mailbox.send(.question(question))
        question.doorbell.wait()
        #expect(try question.result.withLock { $0 }.get(), sourceLocation: location)
    }

    func perform(_ body: @escaping @Sendable (HealthChecks) throws -> Void) throws {
        try self.wait { checks in
            try body(checks)
            return true
        }
    }

    /// Returns once `endpoint` is shown in this state for this reason.
    func wait(
        for state: String, _ reason: String?, of endpoint: Endpoint, in backend: Backend,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        try self.wait(location) { checks in
            let row = checks.rows(of: backend).first { $0.name == endpoint.name }
            return row?.state == state && row?.reason == reason
        }
        #expect(endpoint.isAvailable == (state == "up"), sourceLocation: location)
    }
}

extension ActiveConfiguration {
    /// One backend with WebSocket endpoints at these local ports, changed by `change`.
    static func checking(
        _ ports: [UInt16], replacing previous: ActiveConfiguration? = nil, tls: Bool = false,
        path: WebSocketEndpoint.Path = .client,
        _ change: (inout BackendSettings) -> Void
    ) throws -> ActiveConfiguration {
        let endpoints = ports.map { port in
            WebSocketEndpoint(
                address: .tcp(host: "127.0.0.1", port: port), tls: tls, authority: "127.0.0.1:\(port)", path: path)
        }
        var settings = BackendSettings(name: "chat", kind: .websocket(endpoints))
        change(&settings)
        return try self.checking(settings, replacing: previous)
    }

    /// One backend, and nothing else.
    static func checking(
        _ settings: BackendSettings, replacing previous: ActiveConfiguration? = nil
    ) throws -> ActiveConfiguration {
        var configuration = GatewayConfiguration()
        configuration.backends[settings.name] = settings
        return try ActiveConfiguration(configuration, replacing: previous)
    }

    var backend: Backend { self.backends[0] }
    var endpoint: Endpoint { self.backend.endpoints[0] }
}

extension BackendSettings {
    /// Short intervals between checks, and a long timeout for each.
    mutating func check(_ check: HealthCheckKind, _ change: (inout BackendSettings.HealthCheck) -> Void = { _ in }) {
        var settings = BackendSettings.HealthCheck(check: check)
        settings.interval = .milliseconds(10)
        settings.timeout = .seconds(20)
        change(&settings)
        self.health = settings
    }
}

extension HealthChecks {
    /// All reports. They come at once, because there are few endpoints.
    private var reports: [BackendReport] {
        var reports: [BackendReport] = []
        self.report { reports = $0 }
        return reports
    }

    var metrics: [MetricFamily] { self.reports.families }

    func rows(of backend: Backend) -> [BackendRow.EndpointRow] { self.reports[backend.index].endpoints }
}
