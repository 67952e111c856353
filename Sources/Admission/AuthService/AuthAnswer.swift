public import Configuration
internal import Credentials
internal import HTTP1

/// Reads the answer of an auth service, and says what it is worth.
///
/// One connection has one question and one answer. What comes behind that answer is not looked at, and neither is the body of one that lets the
/// request in, so nothing can be taken for the answer to another question.
public struct AuthAnswer: Sendable {
    private enum State {
        case head
        case body(ResponseHead, BodyReader)
        case over(AuthVerdict)
    }

    /// The most bytes of head and body together.
    static let most = HeadLimits.passedBytes
    private static let mostInterimHeads = 8

    private let settings: ForwardSettings
    private var state = State.head
    private var parser = ResponseHeadParser(limits: .passed)
    /// What was received of the head being read.
    private var buffer: [UInt8] = []
    private var interimHeads = 0
    /// The most bytes of the body, behind this head.
    private var mostOfBody = 0

    /// - Parameter settings: `forward` of the route: which fields of the answer count.
    public init(to settings: ForwardSettings) {
        self.settings = settings
    }

    /// Takes the bytes that follow those of the last call.
    ///
    /// - Returns: `nil` while the answer goes on; then the same, whatever comes.
    public mutating func received(_ bytes: Span<UInt8>) -> AuthVerdict? {
        switch self.state {
        case .over(let verdict): return verdict
        case .body(let head, var body): return self.read(&body, of: head, bytes)
        case .head:
            self.buffer.append(contentsOf: bytes)
            return self.readHead()
        }
    }

    /// The service has ended the connection.
    ///
    /// - Parameter inOrder: it was not broken off.
    public mutating func receivedEOF(inOrder: Bool) -> AuthVerdict {
        switch self.state {
        case .over(let verdict): return verdict
        case .head: return self.end(.unreachable("it closed the connection before it answered"))
        case .body(let head, var body):
            guard inOrder, body.receivedEOF() == .complete else {
                return self.end(.unreachable("it closed the connection in the middle of a \(head.status)"))
            }
            return self.refuse(head, body.body)
        }
    }

    private mutating func readHead() -> AuthVerdict? {
        while true {
            let buffer = self.buffer
            let head: ResponseHead
            let length: Int
            switch self.parser.parse(buffer.span) {
            case .incomplete: return nil
            case .invalid(let error): return self.end(.unreachable("a malformed answer: \(error.detail)"))
            case .head(let parsed, let parsedLength): (head, length) = (parsed, parsedLength)
            }
            self.buffer = Array(buffer[length...])
            guard (102..<200).contains(head.status) || head.status == 100 else { return self.judge(head, length) }
            self.interimHeads += 1
            guard self.interimHeads <= Self.mostInterimHeads else {
                return self.end(.unreachable("too many interim answers"))
            }
            self.parser = ResponseHeadParser(limits: .passed)
        }
    }

    /// - Parameter length: how many bytes the head has.
    private mutating func judge(_ head: ResponseHead, _ length: Int) -> AuthVerdict? {
        // One that frames its body in two ways is not one that we ask for a credential.
        do throws(MessageBody.Failure) { _ = try MessageBody(ofResponse: head, to: "GET") } catch {
            return self.end(.unreachable("a \(head.status) with \(error)"))
        }
        switch head.status {
        case 200..<300: return self.end(self.grant(head.fields))
        // A 304 answers a condition, and there was none in the question.
        case 300..<304, 305..<400, 401, 403:
            self.mostOfBody = Self.most - length
            // One more, to see that there are too many.
            var body = BodyReader(head: head, limit: self.mostOfBody + 1)
            let rest = self.buffer
            self.buffer = []
            return self.read(&body, of: head, rest.span)
        default: return self.end(.unreachable("it answered \(head.status)"))
        }
    }

    private func grant(_ fields: HTTPFields) -> AuthVerdict {
        guard let grant = Grant(fields, self.settings) else {
            return .unreachable("its answer names the client more than once")
        }
        var cookies = HTTPFields()
        cookies.append(fields) { $0.equalsIgnoringCase("Set-Cookie".utf8.span) }
        return .granted(grant, cookies: cookies)
    }

    private mutating func read(
        _ body: inout BodyReader, of head: ResponseHead, _ bytes: Span<UInt8>
    ) -> AuthVerdict? {
        switch body.received(bytes) {
        case .incomplete:
            self.state = .body(head, body)
            return nil
        case .complete: return self.refuse(head, body.body)
        case .invalid(let failure): return self.end(.unreachable("a \(head.status) with a broken body: \(failure)"))
        }
    }

    private mutating func refuse(_ head: ResponseHead, _ body: [UInt8]) -> AuthVerdict {
        let fields = head.fields.passing(FieldFilter(refusal: head.fields))
        // A part of a page is no page: of a longer one only the head passes.
        let isWhole = body.count <= self.mostOfBody
        return self.end(
            .refused(Answer(status: head.status, reason: head.reason, fields: fields, body: isWhole ? body : [])))
    }

    private mutating func end(_ verdict: AuthVerdict) -> AuthVerdict {
        self.state = .over(verdict)
        self.buffer = []
        return verdict
    }
}
