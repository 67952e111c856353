import Foundation

/// A line of a gateway's log.
public struct LogLine {
    private struct NotALine: Error {}

    /// What the line is about.
    public let event: String
    /// All of its fields, `event` among them.
    public let fields: [String: Any]

    /// The lines of a log.
    public static func all(_ bytes: [UInt8]) throws -> [LogLine] {
        try bytes.split(separator: UInt8(ascii: "\n")).map { try LogLine($0) }
    }

    /// - Throws: what the line is not: a JSON object with an `event`.
    public init(_ line: some Collection<UInt8>) throws {
        guard let fields = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
            let event = fields["event"] as? String
        else { throw NotALine() }
        self.fields = fields
        self.event = event
    }

    /// A field that is text; `nil`: there is none.
    public subscript(text key: String) -> String? { self.fields[key] as? String }
    /// A field that is a whole number; `nil`: there is none.
    public subscript(number key: String) -> Int? { self.fields[key] as? Int }
}
