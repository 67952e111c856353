/// How long a unit of a benchmark takes.
struct Measurement {
    /// The median of all rounds.
    let nanosecondsPerUnit: Double
    /// The fastest and the slowest round.
    let range: ClosedRange<Double>

    /// The approximate length of a round: long enough that reading the clock does not matter.
    private static let round = Duration.milliseconds(20)

    /// - Parameters:
    ///   - rounds: how often to measure.
    ///   - iterations: in each round; `nil` for as many as take 20 ms.
    init(_ work: Benchmark.Work, rounds: Int, iterations: Int?) {
        let iterations = iterations ?? Self.iterations(of: work)
        let results = (0..<rounds).map { _ in
            Self.nanoseconds(ContinuousClock().measure { work.run(iterations) })
                / Double(iterations * work.units)
        }.sorted()
        self.nanosecondsPerUnit = results[results.count / 2]
        self.range = results[0]...results[results.count - 1]
    }

    /// Doubles the number until it takes long enough, which also warms the caches.
    private static func iterations(of work: Benchmark.Work) -> Int {
        var iterations = 1
        while ContinuousClock().measure({ work.run(iterations) }) < Self.round { iterations *= 2 }
        return iterations
    }

    private static func nanoseconds(_ duration: Duration) -> Double { duration / .nanoseconds(1) }
}
