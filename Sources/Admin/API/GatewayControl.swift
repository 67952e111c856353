public import Admission
public import Configuration
public import ControlPlane
public import DataPlane
public import HTTP1
public import Observability
public import System
public import TLS

/// What the admin address asks of the gateway. Everything happens on the control thread. `answer` is called there once: at once, or later
/// if the workers have to be asked.
public protocol GatewayControl: AnyObject {
    /// The loop of the control thread.
    var loop: EventLoop { get }
    var readiness: Gateway.Readiness { get }

    /// `answer` gets a function that puts the page together, on any thread.
    func sessions(_ query: SessionQuery, answer: @escaping (@escaping @Sendable () -> SessionPage) -> Void)
    /// Closes sessions.
    func closeSessions(_ order: CloseOrder, answer: @escaping (CloseOutcome) -> Void)
    /// Which name in a filter the configuration in force does not have, and which there are; `nil`: it has all.
    func unknown(_ filter: SessionFilter) -> String?
    /// `answer` gets a function that makes the rows, on any thread.
    func backends(answer: @escaping (@escaping @Sendable () -> [BackendRow]) -> Void)
    /// `answer` gets a function that makes the metrics, on any thread.
    func metrics(answer: @escaping (@escaping @Sendable () -> [MetricFamily]) -> Void)
    /// The last sessions that ended, the newest first.
    var lastCloses: [ClosedSession] { get }
    /// The last clients that were turned away, the newest first.
    var lastRefusals: [RefusedRequest] { get }
    /// What was counted in the last quarter of an hour, the oldest step first; `Gateway.activityStep` is how long one is.
    var activity: [ActivityPoint] { get }
    /// Calls `tell` for all that happens from now on, until `stopListening`. There is one listener at a time.
    func listen(_ tell: @escaping (GatewayEvent) -> Void)
    func stopListening()
    /// Shows the frames of sessions from now on, until `endTail`.
    ///
    /// - Parameters:
    ///   - showsPayloads: whether more than what frames there are is shown.
    ///   - receive: gets the news, some of it maybe before the answer.
    ///   - answer: gets the tail when it is in force; `nil`: there is no such session or route.
    func beginTail(
        _ selection: TailSelection, showsPayloads: Bool, receive: @escaping ([Tail.News]) -> Void,
        answer: @escaping (Tail?) -> Void)
    func endTail(_ tail: Tail)
    /// Runs `make` on another thread, because it would hold up the control thread, and `then` with its result on the control thread.
    func aside<Value: Sendable>(_ make: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void)
    /// Applies the configuration file as it is now.
    ///
    /// - Parameter dryRun: whether to change nothing.
    func reload(dryRun: Bool, answer: @escaping (ReloadOutcome) -> Void)
    /// Drains, or takes a drain back.
    ///
    /// - Parameter undo: endpoints that drain get sessions again. Not with `.process`.
    func drain(_ selection: DrainSelection, undo: Bool, answer: @escaping (DrainOutcome) -> Void)
    /// The certificates that clients are shown.
    var shownCertificates: [CertificateRow] { get }
    /// What the configuration in force was read from.
    var configurationText: ConfigurationText { get }
    /// `answer` gets a function that explains what would become of a request, on any thread.
    func explain(
        _ request: Gateway.ExplainedRequest, answer: @escaping (@escaping @Sendable () -> Explanation) -> Void)
    /// Verifies the password of a request.
    ///
    /// - Parameter answer: called at once, or when it is verified.
    /// - Returns: what goes on; it is cancelled if the answer is of no use any more.
    func login(
        _ fields: HTTPFields, _ settings: BasicSettings, from address: SocketAddress,
        answer: @escaping (Gateway.Login) -> Void
    ) -> PasswordCheck?
    /// TLS at the admin address, with its certificates as they are now; `nil`: it has none.
    var adminTLS: (settings: TLSServerSettings, tickets: TicketKeys)? { get }
    /// Gives an endpoint to clients, or takes it from them.
    ///
    /// - Returns: why there is nothing to do it with; `nil`: it is done.
    func order(_ order: EndpointOrder) -> String?
    /// The rooms of a backend; `nil`: it has none, or there is no backend of this name.
    func rooms(of backend: String) -> RoomDesk?
    /// `answer` gets a function that puts the page together, on any thread.
    func rooms(_ query: RoomQuery, answer: @escaping (@escaping @Sendable () -> RoomPage) -> Void)
    /// What the process does, and what it may use.
    func status(answer: @escaping (GatewayStatus) -> Void)
    /// Logs that the admin address does not work.
    func logAdminFailed(_ error: StartError)
    /// Logs what an operator changed.
    func log(_ change: AdminChange, by asker: String)
}

extension Gateway: GatewayControl {}
