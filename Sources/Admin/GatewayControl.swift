public import ControlPlane
public import DataPlane
public import Observability
public import Sessions
public import System

/// What the admin address asks of the gateway. Everything happens on the control thread; what workers have to be asked for is
/// answered there later, once.
public protocol GatewayControl: AnyObject {
    /// The control thread's.
    var loop: EventLoop { get }
    var readiness: GatewayReadiness { get }

    /// The answer makes the rows, on whatever thread.
    func sessions(answer: @escaping (@escaping @Sendable () -> [SessionRow]) -> Void)
    /// Closes a session with cause `admin`. The answer is whether there is one of that id.
    ///
    /// - Parameters:
    ///   - code: of the client's Close, checked; see `CloseOrder`.
    ///   - reason: at most 123 bytes.
    func closeSession(id: SessionID, code: UInt16, reason: String, answer: @escaping (Bool) -> Void)
    /// The answer makes the rows, on whatever thread.
    func backends(answer: @escaping (@escaping @Sendable () -> [BackendRow]) -> Void)
    /// The answer makes the metrics, on whatever thread.
    func metrics(answer: @escaping (@escaping @Sendable () -> [MetricFamily]) -> Void)
    /// Has something made beside the control thread, which must not be kept for long: `then` gets it there.
    func aside<Value: Sendable>(_ make: @escaping @Sendable () -> Value, then: @escaping (Value) -> Void)
    /// - Parameter dryRun: nothing is changed.
    func reload(dryRun: Bool, answer: @escaping (ReloadOutcome) -> Void)
    /// - Parameter undo: endpoints that drain get sessions again; never with `.process`.
    func drain(_ selection: DrainSelection, undo: Bool, answer: @escaping (DrainOutcome) -> Void)
}
