/// Owns the sessions: the worker.
protocol SessionOwner: AnyObject {
    /// A session's opening handshake is complete. What happened meanwhile, such as a drain, may apply to it.
    func opened(_ session: Session)
    /// Both connections of a session are closed.
    func ended(_ session: Session)

    /// A session could not be opened with the endpoint.
    func failed(_ endpoint: Endpoint, because reason: String)
    /// A session was opened with the endpoint.
    func succeeded(_ endpoint: Endpoint)
    /// None of the endpoint's addresses could be connected to.
    func unreachable(_ endpoint: Endpoint)
}
