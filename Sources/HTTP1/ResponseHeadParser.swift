/// Parses a response head as it comes (RFC 9112 section 4), as strictly as a request's.
package struct ResponseHeadParser: Sendable {
    package enum Result: Equatable, Sendable {
        case incomplete
        /// - Parameter length: of the head in bytes.
        case head(ResponseHead, length: Int)
        case invalid(HeadError)
    }

    private var lines = HeadLines()

    package init() {}

    /// - Parameter bytes: all that has come so far, from the first byte on.
    package mutating func parse(_ bytes: Span<UInt8>) -> Result {
        switch self.lines.scan(bytes) {
        case .incomplete: return .incomplete
        case .invalid(let error): return .invalid(error)
        case .whole(let length):
            do throws(HeadError) {
                let (status, reason) = try Self.statusLine(self.lines.lines[0])
                return .head(ResponseHead(status: status, reason: reason, fields: try self.lines.fields()), length: length)
            } catch {
                return .invalid(error)
            }
        }
    }

    private static func statusLine(_ line: String) throws(HeadError) -> (status: Int, reason: String) {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0] == "HTTP/1.1" || parts[0] == "HTTP/1.0" else {
            throw .malformed("the status line does not begin with HTTP/1.1")
        }
        guard parts[1].utf8.count == 3, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let status = Int(parts[1]), (100...599).contains(status)
        else { throw .malformed("the status is not a number from 100 to 599") }
        return (status, parts.count == 3 ? String(parts[2]) : "")
    }
}
