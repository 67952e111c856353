/// Parses a request head as it comes (RFC 9112), strictly: HTTP/1.1 only, CRLF only, nothing folded, nothing before it.
package struct RequestHeadParser: Sendable {
    package enum Result: Equatable, Sendable {
        case incomplete
        /// - Parameter length: of the head in bytes; what follows it is not the head's.
        case head(RequestHead, length: Int)
        case invalid(HeadError)
    }

    private var lines = HeadLines()
    private var hasCheckedStart = false

    package init() {}

    /// - Parameter bytes: all that has come so far, from the first byte on.
    package mutating func parse(_ bytes: Span<UInt8>) -> Result {
        // A TLS ClientHello, or a protocol of another world, is turned away at its first byte.
        if let first = bytes.first, !first.isHTTPTokenCharacter { return .invalid(.malformed("the request does not begin with a method")) }
        let result = self.lines.scan(bytes)
        do throws(HeadError) {
            switch result {
            case .invalid(let error): return .invalid(error)
            case .incomplete:
                try self.checkStartOnce()
                return .incomplete
            case .whole(let length):
                let (method, target) = try Self.requestLine(self.lines.lines[0])
                return .head(RequestHead(method: method, target: target, fields: try self.lines.fields()), length: length)
            }
        } catch {
            return .invalid(error)
        }
    }

    /// The start line is judged when it is whole, not when the head is.
    private mutating func checkStartOnce() throws(HeadError) {
        guard !self.hasCheckedStart, let line = self.lines.lines.first else { return }
        self.hasCheckedStart = true
        _ = try Self.requestLine(line)
    }

    private static func requestLine(_ line: String) throws(HeadError) -> (method: String, target: String) {
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("the request line is not METHOD TARGET HTTP/1.1") }
        guard parts[0].isHTTPToken else { throw .malformed("the method is not a token") }
        guard !parts[1].isEmpty, parts[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .malformed("the request target has characters that are not allowed")
        }
        guard parts[2] == "HTTP/1.1" else {
            guard parts[2].hasPrefix("HTTP/") else { throw .malformed("the request line has no HTTP version") }
            throw HeadError(kind: .unsupportedVersion, description: "only HTTP/1.1 is spoken here")
        }
        return (String(parts[0]), String(parts[1]))
    }
}

extension Span<UInt8> {
    fileprivate var first: UInt8? { self.isEmpty ? nil : self[0] }
}
