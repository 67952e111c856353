import Foundation

/// A line of a gateway's log.
public struct LogLine {
    private struct NotALine: Error {}

    public let event: String
    public let fields: [String: Any]

    /// The lines of a log.
    public static func all(_ bytes: [UInt8]) throws -> [LogLine] {
        try bytes.split(separator: UInt8(ascii: "\n")).map { try LogLine($0) }
    }

    public init(_ line: some Collection<UInt8>) throws {
        guard let fields = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
            let event = fields["event"] as? String
        else { throw NotALine() }
        self.fields = fields
        self.event = event
    }

    public subscript(text key: String) -> String? { self.fields[key] as? String }
    public subscript(number key: String) -> Int? { self.fields[key] as? Int }
}
