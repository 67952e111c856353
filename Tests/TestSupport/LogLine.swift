import Foundation

/// A line of a gateway's log.
package struct LogLine {
    private struct NotALine: Error {}

    package let event: String
    package let fields: [String: Any]

    /// The lines of a log.
    package static func all(_ bytes: [UInt8]) throws -> [LogLine] {
        try bytes.split(separator: UInt8(ascii: "\n")).map { try LogLine($0) }
    }

    package init(_ line: some Collection<UInt8>) throws {
        guard let fields = try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any],
            let event = fields["event"] as? String
        else { throw NotALine() }
        self.fields = fields
        self.event = event
    }

    package subscript(text key: String) -> String? { self.fields[key] as? String }
    package subscript(number key: String) -> Int? { self.fields[key] as? Int }
}
