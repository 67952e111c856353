package import EventLoop
package import Proxy

/// What the admin address asks of the gateway. Everything happens on the control thread; what workers have to be asked for is
/// answered there later, once.
package protocol GatewayControl: AnyObject {
    /// The control thread's.
    var loop: EventLoop { get }
    var readiness: GatewayReadiness { get }

    func sessions(answer: @escaping ([SessionRow]) -> Void)
    /// Closes a session with cause `admin`. The answer is whether there is one of that id.
    ///
    /// - Parameters:
    ///   - code: of the client's Close, checked; see `CloseOrder`.
    ///   - reason: at most 123 bytes.
    func closeSession(id: SessionID, code: UInt16, reason: String, answer: @escaping (Bool) -> Void)
    func backends(answer: @escaping ([BackendRow]) -> Void)
    func metrics(answer: @escaping ([MetricFamily]) -> Void)
    /// - Parameter dryRun: nothing is changed.
    func reload(dryRun: Bool, answer: @escaping (ReloadOutcome) -> Void)
    /// - Parameter undo: endpoints that drain get sessions again; never with `.process`.
    func drain(_ selection: DrainSelection, undo: Bool, answer: @escaping (DrainOutcome) -> Void)
}
