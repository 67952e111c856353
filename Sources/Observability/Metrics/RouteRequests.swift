/// What one worker counts of the plain requests of one route. A request looks it up once. Only the worker's thread uses it.
public final class RouteRequests {
    private var open = 0
    /// By the first digit of the answer's status; 0 if there was none.
    private var total = [UInt64](repeating: 0, count: 10)
    private var seconds = Histogram.ofHandshakes

    /// Zeros.
    init() {}

    /// The counts so far.
    var counts: MetricsSnapshot.Requests {
        var counts = MetricsSnapshot.Requests()
        counts.open = self.open
        for (digit, count) in self.total.enumerated() where count > 0 { counts.total[digit] = count }
        counts.seconds = self.seconds
        return counts
    }

    /// A request is passed to a backend, or answered by the gateway itself.
    public func began() { self.open += 1 }

    /// The head of an answer came.
    ///
    /// - Parameter time: since the request began.
    public func answered(after time: Duration) { self.seconds.observe(time) }

    /// A request is over.
    ///
    /// - Parameter status: of its answer, up to 999; `nil` if there was none.
    public func ended(status: Int?) {
        self.open -= 1
        self.total[(status ?? 0) / 100] += 1
    }
}
