/// A metric with all its samples, as a scrape shows it.
public struct MetricFamily: Sendable, Equatable {
    public enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    /// A label's name and its value.
    public struct Label: Sendable, Equatable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public enum Value: Sendable, Equatable {
        case number(Double)
        /// - Parameters:
        ///   - buckets: the upper bounds, ascending, each with the number of observations up to it (cumulative); the last bound is
        ///     infinite.
        case histogram(buckets: [(bound: Double, count: UInt64)], sum: Double)

        public static func == (left: Self, right: Self) -> Bool {
            switch (left, right) {
            case (.number(let left), .number(let right)): left == right
            case (.histogram(let left, let leftSum), .histogram(let right, let rightSum)):
                leftSum == rightSum && left.map(\.bound) == right.map(\.bound)
                    && left.map(\.count) == right.map(\.count)
            case (.number, .histogram), (.histogram, .number): false
            }
        }
    }

    public struct Sample: Sendable, Equatable {
        public var labels: [Label]
        public var value: Value

        public init(_ labels: [Label], _ value: Value) {
            self.labels = labels
            self.value = value
        }
    }

    /// The whole name, such as `gateway_sessions_total`.
    public var name: String
    public var help: String
    public var kind: Kind
    public var samples: [Sample]

    public init(_ name: String, _ kind: Kind, help: String, samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }
}
