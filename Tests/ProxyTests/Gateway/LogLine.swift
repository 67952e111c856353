import Foundation
import Testing

/// A line of a gateway's log.
struct LogLine {
    let event: String
    let fields: [String: Any]

    static func all(_ bytes: [UInt8]) throws -> [LogLine] {
        try bytes.split(separator: UInt8(ascii: "\n")).map { try LogLine($0) }
    }

    init(_ line: some Collection<UInt8>) throws {
        self.fields = try #require(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        self.event = try #require(self.fields["event"] as? String)
    }

    subscript(text key: String) -> String? { self.fields[key] as? String }
    subscript(number key: String) -> Int? { self.fields[key] as? Int }
}

/// Expects one session to have ended so.
func expectClose(
    _ log: [LogLine], cause: String, code: String, by author: String, _ location: SourceLocation = #_sourceLocation
) {
    let closes = log.filter { $0.event == "close" }
    #expect(closes.map { $0[text: "cause"] } == [cause], sourceLocation: location)
    #expect(closes.map { $0[text: "code"] } == [code], sourceLocation: location)
    #expect(closes.map { $0[text: "by"] } == [author], sourceLocation: location)
}
