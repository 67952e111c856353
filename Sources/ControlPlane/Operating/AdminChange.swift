internal import Configuration
public import DataPlane
internal import Observability
internal import Sessions

/// What an operator changed, or tried to, for the log.
public struct AdminChange: Equatable, Sendable {
    /// The word of the order: `close`, `reload`, `drain`, `undrain`; `up`, `drain` or `down` of an endpoint; `forget` of a room, `publish` to
    /// one if it was refused.
    public var action: String
    /// What it is about, such as a backend; `nil`: the whole gateway.
    public var target: String?
    /// How many sessions it closes.
    public var count: Int
    /// `done`, or why it was refused.
    public var result: String

    private init(_ action: String, _ target: String?, count: Int = 0, result: String = "done") {
        self.action = action
        self.target = target
        self.count = count
        self.result = result
    }

    /// An order to close sessions.
    public init(_ order: CloseOrder, _ outcome: CloseOutcome) {
        let target = order.filter.text
        switch outcome {
        case .matched(let count): self.init("close", target, count: count)
        case .crowded: self.init("close", target, result: "too many subjects are kept out")
        case .unknown(let what): self.init("close", target, result: what)
        }
    }

    /// An order to close sessions that was not allowed.
    public init(_ order: CloseOrder, refused reason: String) {
        self.init("close", order.filter.text, result: "refused: \(reason)")
    }

    /// A reload that was not allowed.
    public init(reloadRefused reason: String) { self.init("reload", nil, result: "refused: \(reason)") }

    /// A drain, or one to be taken back, that was not allowed.
    public init(_ selection: DrainSelection, undo: Bool, refused reason: String) {
        self.init(undo ? "undrain" : "drain", selection.text, result: "refused: \(reason)")
    }

    /// A reload.
    public init(_ outcome: ReloadOutcome) {
        switch outcome {
        case .applied(let closing, _, _, _): self.init("reload", nil, count: closing.values.reduce(0, +))
        case .refused(let mistakes): self.init("reload", nil, result: mistakes.first ?? "refused")
        }
    }

    /// A drain, or one that is taken back.
    public init(_ outcome: DrainOutcome, of selection: DrainSelection, undo: Bool) {
        let target = selection.text
        switch outcome {
        case .draining(let sessions): self.init("drain", target, count: sessions)
        case .undrained: self.init("undrain", target)
        case .unknown(let what): self.init(undo ? "undrain" : "drain", target, result: what)
        }
    }

    /// A room was forgotten.
    public init(forgetting room: String, of backend: String) { self.init("forget", "\(backend) \(room)") }

    /// An order about a room that was not allowed.
    public init(_ action: String, room: String, of backend: String, refused reason: String) {
        self.init(action, "\(backend) \(room)", result: "refused: \(reason)")
    }

    /// An order about an endpoint.
    ///
    /// - Parameter problem: why it was not done.
    public init(_ order: EndpointOrder, problem: String?) {
        self.init(order.state.rawValue, "\(order.backend) \(order.endpoint)", result: problem ?? "done")
    }

    /// The log's line.
    ///
    /// - Parameter asker: the user, or the address that asked.
    func record(by asker: String) -> LogRecord {
        var record = LogRecord(.info, "admin")
        record.add("who", asker.cut)
        record.add("action", self.action)
        record.add("target", self.target?.cut)
        record.add("count", self.count)
        record.add("result", self.result.cut)
        return record
    }
}

extension DrainSelection {
    /// What is drained, for the log; `nil`: the whole gateway.
    fileprivate var text: String? {
        switch self {
        case .process: nil
        case .backend(let name): name
        case .endpoint(let backend, let name): "\(backend) \(name)"
        }
    }
}

extension SessionFilter {
    /// The filters, for the log.
    fileprivate var text: String {
        let parts = [
            ("session", self.id?.description), ("route", self.route), ("backend", self.backend),
            ("endpoint", self.endpoint), ("client", self.client?.description), ("subject", self.subject),
        ]
        let given = parts.compactMap { name, value in value.map { "\(name)=\($0)" } }
        return given.isEmpty ? "all" : given.joined(separator: " ")
    }
}
