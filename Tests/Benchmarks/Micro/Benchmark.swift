/// A piece of pure code to be run over and over.
struct Benchmark {
    /// What one of the things it does is.
    enum Unit: String {
        case frame
        case message
        case kibibyte = "KiB"
        case request
    }

    /// What is run, with everything that it needs made before.
    struct Work {
        /// How many units one iteration is.
        let units: Int
        /// What an iteration has to return.
        let expected: Int
        let iteration: () -> Int

        /// Iterations count what they did: work that is counted and checked is work that the compiler cannot leave out.
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

    /// Stable: budgets are kept under it.
    let name: String
    let unit: Unit
    let prepare: () -> Work

    init(_ name: String, per unit: Unit, _ prepare: @escaping () -> Work) {
        self.name = name
        self.unit = unit
        self.prepare = prepare
    }

    /// All there are, in the order in which they are shown.
    static var all: [Benchmark] { Self.frames + Self.text + Self.masking + Self.compression + Self.routes }
}
