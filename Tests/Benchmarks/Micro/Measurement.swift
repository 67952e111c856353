/// How long a unit of a benchmark takes.
struct Measurement {
    /// The median of all rounds.
    let nanosecondsPerUnit: Double
    /// The fastest and the slowest round.
    let range: ClosedRange<Double>

    /// A round lasts about as long as this, so that the clock's own time is nothing.
    private static let round = Duration.milliseconds(20)

    /// - Parameters:
    ///   - rounds: how often it is measured.
    ///   - iterations: in each round; nil: as many as take 20 ms.
    init(_ work: Benchmark.Work, rounds: Int, iterations: Int?) {
        let iterations = iterations ?? Self.iterations(of: work)
        let results = (0..<rounds).map { _ in
            Self.nanoseconds(ContinuousClock().measure { work.run(iterations) })
                / Double(iterations * work.units)
        }.sorted()
        self.nanosecondsPerUnit = results[results.count / 2]
        self.range = results[0]...results[results.count - 1]
    }

    /// Doubles until it takes long enough, which warms caches too.
    private static func iterations(of work: Benchmark.Work) -> Int {
        var iterations = 1
        while ContinuousClock().measure({ work.run(iterations) }) < Self.round { iterations *= 2 }
        return iterations
    }

    private static func nanoseconds(_ duration: Duration) -> Double { duration / .nanoseconds(1) }
}
