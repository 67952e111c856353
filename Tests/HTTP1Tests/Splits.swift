@testable import HTTP1

/// The ways to give bytes to a parser: whole, byte by byte, and in two parts at every point.
func ways(of bytes: [UInt8]) -> [[Int]] {
    [[bytes.count], Array(1...max(1, bytes.count))] + (0..<bytes.count).map { [$0, bytes.count] }
}

/// The parser's result for a request, which must be the same however its bytes are cut.
func parseRequest(_ text: String, limits: HeadLimits = HeadLimits()) -> HeadProgress<RequestHead> {
    parseRequest(Array(text.utf8), limits: limits)
}

func parseRequest(_ bytes: [UInt8], limits: HeadLimits = HeadLimits()) -> HeadProgress<RequestHead> {
    agreed(
        ways(of: bytes).map { ends in
            var parser = RequestHeadParser(limits: limits)
            for end in ends {
                let progress = parser.parse(bytes.span.extracting(first: end))
                if progress != .incomplete { return progress }
            }
            return .incomplete
        })
}

func parseResponse(_ text: String, limits: HeadLimits = HeadLimits()) -> HeadProgress<ResponseHead> {
    let bytes = Array(text.utf8)
    return agreed(
        ways(of: bytes).map { ends in
            var parser = ResponseHeadParser(limits: limits)
            for end in ends {
                let progress = parser.parse(bytes.span.extracting(first: end))
                if progress != .incomplete { return progress }
            }
            return .incomplete
        })
}

/// The result that all of them had.
private func agreed<Head>(_ results: [HeadProgress<Head>]) -> HeadProgress<Head> {
    for result in results where result != results[0] {
        return .invalid(HeadError(.malformed, "the ways disagree: \(results[0]) and \(result)"))
    }
    return results[0]
}
