/// What heartbeats tell others: the health of endpoints, and the metrics.
extension Session {
    /// The backend is late with its answer to a ping, or no longer so (it was heard, or the session has ended).
    func backendIsLate(_ isLate: Bool) {}

    /// A ping of ours on `leg` was answered, after `time`.
    func pingAnswered(_ leg: Leg, _ time: Duration) {}
}
