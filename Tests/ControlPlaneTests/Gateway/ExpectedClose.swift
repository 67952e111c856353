import TestSupport
import Testing

/// Expects that one session has ended with these fields in the log.
func expectClose(
    _ log: [LogLine], cause: String, code: String, by author: String, _ location: SourceLocation = #_sourceLocation
) {
    let closes = log.filter { $0.event == "close" }
    #expect(closes.map { $0[text: "cause"] } == [cause], sourceLocation: location)
    #expect(closes.map { $0[text: "code"] } == [code], sourceLocation: location)
    #expect(closes.map { $0[text: "by"] } == [author], sourceLocation: location)
}
