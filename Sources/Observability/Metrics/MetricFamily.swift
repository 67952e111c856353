/// A metric with all its samples, as a scrape shows it.
package struct MetricFamily: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    /// A label's name and its value.
    package struct Label: Sendable, Equatable {
        package var name: String
        package var value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package enum Value: Sendable, Equatable {
        case number(Double)
        /// - Parameters:
        ///   - buckets: the upper bounds, ascending, each with the number of observations up to it (cumulative); the last bound is
        ///     infinite.
        case histogram(buckets: [(bound: Double, count: UInt64)], sum: Double)

        package static func == (left: Self, right: Self) -> Bool {
            switch (left, right) {
            case (.number(let left), .number(let right)): left == right
            case (.histogram(let left, let leftSum), .histogram(let right, let rightSum)):
                leftSum == rightSum && left.map(\.bound) == right.map(\.bound)
                    && left.map(\.count) == right.map(\.count)
            case (.number, .histogram), (.histogram, .number): false
            }
        }
    }

    package struct Sample: Sendable, Equatable {
        package var labels: [Label]
        package var value: Value

        package init(_ labels: [Label], _ value: Value) {
            self.labels = labels
            self.value = value
        }
    }

    /// The whole name, such as `gateway_sessions_total`.
    package var name: String
    package var help: String
    package var kind: Kind
    package var samples: [Sample]

    package init(_ name: String, _ kind: Kind, help: String, samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }
}
