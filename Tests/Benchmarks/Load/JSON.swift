internal import Glibc

/// JSON to print.
indirect enum JSON: CustomStringConvertible {
    case integer(Int)
    case number(Double)
    case boolean(Bool)
    /// Plain ASCII.
    case string(String)
    case array([JSON])
    /// In this order.
    case object(KeyValuePairs<String, JSON>)
    /// The keys of all objects, in order.
    case merged([JSON])

    var description: String {
        switch self {
        case .integer(let value): return "\(value)"
        // Six decimals are finer than any measurement.
        case .number(let value): return "\((value * 1e6).rounded() / 1e6)"
        case .boolean(let value): return "\(value)"
        case .string(let text): return "\"\(text)\""
        case .array(let elements): return "[" + elements.map(\.description).joined(separator: ",") + "]"
        case .object(let pairs):
            return "{" + pairs.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",") + "}"
        case .merged(let objects):
            let inner = objects.map { $0.description.dropFirst().dropLast() }.filter { !$0.isEmpty }
            return "{" + inner.joined(separator: ",") + "}"
        }
    }

    /// Prints a line and flushes it: its reader may be waiting.
    func printLine() {
        print(self)
        _ = fflush(nil)
    }
}

extension Histogram {
    /// Quantiles in microseconds.
    var json: JSON {
        func microseconds(_ nanoseconds: Int64) -> JSON { .number(Double(nanoseconds) / 1000) }
        return .object([
            "p50": microseconds(self.quantile(0.5)), "p99": microseconds(self.quantile(0.99)),
            "p999": microseconds(self.quantile(0.999)), "max": microseconds(self.maximum),
        ])
    }

    /// `[[nanoseconds, count], …]`, for a reader that joins several.
    var bucketsJSON: JSON {
        .array(self.buckets.map { .array([.integer(Int($0.upperBound)), .integer($0.count)]) })
    }
}
