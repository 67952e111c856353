/// A metric with all its samples.
public struct MetricFamily: Sendable, Equatable {
    /// How the values change, in the words of Prometheus.
    public enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    /// The name and value of a label.
    public struct Label: Sendable, Equatable {
        /// The name, such as `route`.
        public var name: String
        /// The value. It is escaped when it is written.
        public var value: String

        /// See the properties.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The value of a sample.
    public enum Value: Sendable, Equatable {
        case number(Double)
        /// - Parameter buckets: upper bounds, ascending, the last one infinite; each with the number of observations up to it.
        case histogram(buckets: [(bound: Double, count: UInt64)], sum: Double)

        /// Equality, which is not synthesized because `buckets` are tuples.
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

    /// One value with its labels.
    public struct Sample: Sendable, Equatable {
        /// The labels, in the order in which they are written.
        public var labels: [Label]
        /// The value.
        public var value: Value

        /// See the properties.
        public init(_ labels: [Label], _ value: Value) {
            self.labels = labels
            self.value = value
        }
    }

    /// The whole name, such as `gateway_sessions_total`.
    public var name: String
    /// One sentence that explains the metric.
    public var help: String
    /// How the values change.
    public var kind: Kind
    /// The samples, each with its own labels.
    public var samples: [Sample]

    /// See the properties.
    public init(_ name: String, _ kind: Kind, help: String, samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }
}
