import HTTP1
import Testing

@testable import Admission

@Suite struct TraceIDTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let parent = "b7ad6b7169203331"

    @Test(arguments: [
        "00-\(trace)-\(parent)-01", "00-\(trace)-\(parent)-00", "00-\(trace)-\(parent)-ff",
        "01-\(trace)-\(parent)-01", "fe-\(trace)-\(parent)-01", "01-\(trace)-\(parent)-01-",
        "cc-\(trace)-\(parent)-01-more-of it",
    ])
    func `the trace is read`(text: String) {
        #expect(TraceID(traceparent: text)?.description == Self.trace)
    }

    @Test(arguments: [
        "00000000000000000000000000000001", "10000000000000000000000000000000", "00000000000000010000000000000000",
    ])
    func `a trace with zeros is written whole`(trace: String) {
        #expect(TraceID(traceparent: "00-\(trace)-\(Self.parent)-01")?.description == trace)
    }

    @Test(arguments: [
        "", "00", "00-\(trace)", "00-\(trace)-\(parent)", "00-\(trace)-\(parent)-", "00-\(trace)-\(parent)-1",
        "00-\(trace)-\(parent)-01-", "00-\(trace)-\(parent)-01-more", "00-\(trace)-\(parent)-011",
        "01-\(trace)-\(parent)-01.more",
        "ff-\(trace)-\(parent)-01", "0g-\(trace)-\(parent)-01", "0-0\(trace)-\(parent)-01",
        "00-\(trace.uppercased())-\(parent)-01", "00-\(trace)-\(parent.uppercased())-01", "00-\(trace)-\(parent)-0A",
        "0A-\(trace)-\(parent)-01",
        "00-00000000000000000000000000000000-\(parent)-01", "00-\(trace)-0000000000000000-01",
        "00_\(trace)-\(parent)-01", "00-\(trace)_\(parent)-01", "00-\(trace)-\(parent)_01",
        "00-\(trace)\(parent)-01----------------", "00-0af7651916cd43dd8448eb211c80319 -\(parent)-01",
        "00-é\(trace.dropFirst(2))-\(parent)-01",
        "00-+af7651916cd43dd8448eb211c80319c-\(parent)-01",
    ])
    func `what breaks the grammar names no trace`(text: String) {
        #expect(TraceID(traceparent: text) == nil)
    }

    @Test func `a request names one trace or none`() {
        let (one, other) = ("00-\(Self.trace)-\(Self.parent)-01", "00-\(Self.parent)\(Self.parent)-\(Self.parent)-01")
        #expect(TraceID(of: ["TraceParent": one])?.description == Self.trace)
        #expect(TraceID(of: ["tracestate": "a=b"]) == nil)
        #expect(TraceID(of: ["traceparent": one, "traceparent": one]) == nil)
        #expect(TraceID(of: ["traceparent": one, "traceparent": other]) == nil)
    }
}
