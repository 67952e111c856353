import Fuzzing
import HTTP1

/// A message as a strict reader sees it.
struct Reading {
    /// The method, or the status.
    let line: String
    let fields: HTTPFields
    private(set) var data: [UInt8] = []
    private(set) var trailers = HTTPFields()
    private(set) var isWhole = false
    private(set) var failure: MessageBody.Failure?
    /// How many bytes were read.
    private(set) var length: Int

    /// The first request in `bytes`; nil if its head is not whole, or wrong.
    init?(ofRequest bytes: [UInt8], takesHTTP10: Bool) {
        var parser = RequestHeadParser(limits: HeadLimits(bytes: .max, fields: .max), takesHTTP10: takesHTTP10)
        guard case .head(let head, let length) = parser.parse(bytes.span),
            let body = try? MessageBody(ofRequest: head)
        else { return nil }
        self.init(line: head.method, head.fields, body, bytes, from: length, thenEOF: false)
    }

    /// The first final answer in `bytes`, likewise.
    init?(ofAnswer bytes: [UInt8], to method: String, thenEOF: Bool) {
        var start = 0
        while true {
            var parser = ResponseHeadParser(limits: HeadLimits(bytes: .max, fields: .max))
            guard case .head(let head, let length) = parser.parse(bytes.span.extracting(start..<bytes.count)) else {
                return nil
            }
            start += length
            guard head.status >= 200 else { continue }
            guard let body = try? MessageBody(ofResponse: head, to: method) else { return nil }
            self.init(line: String(head.status), head.fields, body, bytes, from: start, thenEOF: thenEOF)
            return
        }
    }

    /// Reads the body byte by byte, so that all data before a fault is seen.
    private init(
        line: String, _ fields: HTTPFields, _ body: MessageBody, _ bytes: [UInt8], from start: Int, thenEOF: Bool
    ) {
        self.line = line
        self.fields = fields
        self.length = start
        var body = body
        for end in start...bytes.count where !self.isWhole && self.failure == nil {
            var step: MessageBody.Step
            repeat {
                step = body.next(in: bytes.span.extracting(first: end), from: &self.length)
                if case .data(let range) = step { self.data += bytes[range] }
            } while self.goesOn(after: step)
        }
        if thenEOF { _ = self.goesOn(after: body.receivedEOF()) }
    }

    private mutating func goesOn(after step: MessageBody.Step) -> Bool {
        switch step {
        case .chunkBegins, .data, .chunkEnds: return true
        case .needsMore: return false
        case .invalid(let failure): self.failure = failure
        case .end(let trailers):
            self.isWhole = true
            self.trailers = trailers
        }
        return false
    }

    /// Nothing that concerns one hop only, and one framing.
    func checkFields() {
        for name in ["Keep-Alive", "Proxy-Connection", "HTTP2-Settings", "Trailer"] {
            expect(!self.fields.has(name), "\(name) went on")
        }
        let framings = self.fields.values("Content-Length").count + self.fields.values("Transfer-Encoding").count
        expect(framings <= 1, "two framings")
        for name in ["Content-Length", "Transfer-Encoding", "Connection", "TE", "Upgrade"] {
            expect(!self.trailers.has(name), "\(name) in a trailer")
        }
    }
}
