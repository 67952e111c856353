public import Configuration

/// One line of the log: an event and its fields, in the order in which they are written.
///
/// Typed rather than text, so that a number is a number in JSON.
public struct LogRecord: Sendable {
    public enum Value: Sendable {
        case text(String)
        case integer(Int64)
        case seconds(Double)
        case boolean(Bool)
    }

    public let level: LogLevel
    public let event: String
    public private(set) var fields: [(key: String, value: Value)] = []

    public init(_ level: LogLevel, _ event: String) {
        self.level = level
        self.event = event
        self.fields.reserveCapacity(16)
    }

    /// Adds a field; one without a value is left out.
    public mutating func add(_ key: String, _ text: String?) {
        if let text { self.fields.append((key, .text(text))) }
    }

    public mutating func add(_ key: String, _ number: some BinaryInteger) {
        self.fields.append((key, .integer(Int64(clamping: number))))
    }

    public mutating func add(_ key: String, seconds: Double) { self.fields.append((key, .seconds(seconds))) }

    public mutating func add(_ key: String, _ flag: Bool) { self.fields.append((key, .boolean(flag))) }
}

extension LogLevel {
    /// Higher is graver.
    public var severity: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
}
