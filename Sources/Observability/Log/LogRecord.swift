public import Configuration

/// One line of the log: an event, and fields in the order in which they are written.
///
/// Fields are typed, so that a number is a number in JSON.
public struct LogRecord: Sendable {
    /// The value of a field.
    public enum Value: Sendable {
        case text(String)
        case integer(Int64)
        case seconds(Double)
        case boolean(Bool)
    }

    /// How serious the event is.
    public let level: LogLevel
    /// What happened, as a word of the log, such as `reloaded`.
    public let event: String
    /// The fields, in the order in which they were added.
    public private(set) var fields: [(key: String, value: Value)] = []

    /// A record without fields.
    public init(_ level: LogLevel, _ event: String) {
        self.level = level
        self.event = event
        self.fields.reserveCapacity(16)
    }

    /// Adds a text, unless it is `nil`.
    public mutating func add(_ key: String, _ text: String?) {
        if let text { self.fields.append((key, .text(text))) }
    }

    /// Adds a number. One that does not fit 64 bits becomes the nearest that does.
    public mutating func add(_ key: String, _ number: some BinaryInteger) {
        self.fields.append((key, .integer(Int64(clamping: number))))
    }

    /// Adds a time in seconds. It is written with six decimals.
    public mutating func add(_ key: String, seconds: Double) { self.fields.append((key, .seconds(seconds))) }

    /// Adds `true` or `false`.
    public mutating func add(_ key: String, _ flag: Bool) { self.fields.append((key, .boolean(flag))) }
}

extension LogLevel {
    /// A number for comparisons; an error has the highest.
    public var severity: Int {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
}
