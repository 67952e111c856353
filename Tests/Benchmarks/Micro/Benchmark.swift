/// A piece of pure code that is run repeatedly.
struct Benchmark {
    /// What a unit of its work is.
    enum Unit: String {
        case frame
        case message
        case kibibyte = "KiB"
        case request
    }

    /// The code to run, with all that it needs made before.
    struct Work {
        /// How many units one iteration is.
        let units: Int
        /// What an iteration has to return.
        let expected: Int
        let iteration: () -> Int

        /// Iterations return a count, which is checked, so that the compiler cannot remove the work.
        init(units: Int, expecting expected: Int, _ iteration: @escaping () -> Int) {
            self.units = units
            self.expected = expected
            self.iteration = iteration
        }

        func run(_ iterations: Int) {
            var total = 0
            for _ in 0..<iterations { total += self.iteration() }
            precondition(total == self.expected * iterations, "\(total) is not \(self.expected * iterations)")
        }
    }

    /// Stable: budgets refer to it.
    let name: String
    let unit: Unit
    let prepare: () -> Work

    init(_ name: String, per unit: Unit, _ prepare: @escaping () -> Work) {
        self.name = name
        self.unit = unit
        self.prepare = prepare
    }

    /// All benchmarks, in the order of the output.
    static var all: [Benchmark] {
        Self.frames + Self.text + Self.masking + Self.compression + Self.routes + Self.tokens
    }
}
