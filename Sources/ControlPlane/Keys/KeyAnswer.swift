internal import Configuration
internal import Credentials
internal import HTTP1

/// Reads the answer to the question for a JWK Set. It has no socket and no clock.
struct KeyAnswer {
    /// A whole answer.
    struct Content: Equatable {
        /// At most `KeySet.mostBytes`.
        var bytes: [UInt8]
        /// What its server calls it; `nil`: nothing.
        var type: String?
    }

    enum Progress: Equatable {
        case incomplete
        case whole(Content)
        /// - Parameter reason: half a sentence for the log, such as "it answered 404".
        case refused(String)
    }

    private enum State {
        /// - Parameter bytes: what has come of it.
        case head(ResponseHeadParser, bytes: [UInt8])
        case body(BodyReader, type: String?)
        case over(Progress)
    }

    private var state = State.head(ResponseHeadParser(), bytes: [])

    /// What is asked. Nothing of any client is in it.
    static func request(for url: WebURL) -> RequestHead {
        RequestHead(
            method: "GET", target: url.target,
            fields: [
                "Host": url.authority, "User-Agent": "gateway", "Accept": "application/jwk-set+json, application/json",
                "Accept-Encoding": "identity", "Connection": "close",
            ])
    }

    /// Takes the bytes that follow those of the last call.
    mutating func received(_ bytes: Span<UInt8>) -> Progress {
        switch self.state {
        case .head(let parser, var head):
            head.append(contentsOf: bytes)
            return self.readHead(parser, head)
        case .body(var reader, let type):
            let progress = reader.received(bytes)
            return self.take(progress, reader, type)
        case .over(let progress): return progress
        }
    }

    /// The server has ended its side. A set that is cut is no JSON, so it does not matter whether TLS ended in order.
    mutating func receivedEOF() -> Progress {
        switch self.state {
        case .head: return self.end(.refused("the connection ended before the answer"))
        case .body(var reader, let type):
            let progress = reader.receivedEOF()
            return self.take(progress, reader, type)
        case .over(let progress): return progress
        }
    }

    private mutating func end(_ progress: Progress) -> Progress {
        self.state = .over(progress)
        return progress
    }

    private mutating func readHead(_ parser: ResponseHeadParser, _ bytes: [UInt8]) -> Progress {
        var (parser, rest) = (parser, bytes)
        while true {
            switch parser.parse(rest.span) {
            case .incomplete:
                self.state = .head(parser, bytes: rest)
                return .incomplete
            case .invalid(let error): return self.end(.refused("it sent a malformed answer: \(error.detail)"))
            case .head(let head, let length):
                rest.removeFirst(length)
                // Interim answers precede the real one (RFC 9110 section 15.2). A 101 was not asked for.
                guard (100..<200).contains(head.status), head.status != 101 else { return self.judge(head, rest) }
                parser = ResponseHeadParser()
            }
        }
    }

    private mutating func judge(_ head: ResponseHead, _ rest: [UInt8]) -> Progress {
        switch head.status {
        case 200: break
        // An answer must not choose what else the gateway asks.
        case 300..<400: return self.end(.refused("it answered \(head.status), and redirects are not followed"))
        default: return self.end(.refused("it answered \(head.status)"))
        }
        if let coding = head.fields.first("Content-Encoding"), !coding.equalsIgnoringCase("identity") {
            return self.end(.refused("its answer is compressed, which was not asked for"))
        }
        // One byte more than a set may have says that it is too long.
        let reader = BodyReader(head: head, limit: KeySet.mostBytes + 1)
        self.state = .body(reader, type: head.fields.first("Content-Type"))
        return self.received(rest.span)
    }

    private mutating func take(_ progress: BodyReader.Progress, _ reader: BodyReader, _ type: String?) -> Progress {
        guard reader.body.count <= KeySet.mostBytes else {
            return self.end(.refused("its answer has more than \(KeySet.mostBytes) bytes"))
        }
        switch progress {
        case .incomplete:
            self.state = .body(reader, type: type)
            return .incomplete
        case .complete: return self.end(.whole(Content(bytes: reader.body, type: type)))
        case .invalid(let failure): return self.end(.refused("it sent a malformed answer: \(failure)"))
        }
    }
}
