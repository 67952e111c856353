import Configuration
import HTTP1
import Testing

@testable import Admission

/// What a route that passes plain requests makes of a head.
func plainRequest(
    _ head: RequestHead, arrival: Arrival = directArrival, bodyLimit: Int = 1 << 20
) throws(Refusal) -> PlainRequest {
    var configuration = GatewayConfiguration()
    configuration.routes = [
        route(.subtree("/"), .backend("app")) {
            $0.http = .pass
            $0.limits.body = .bytes(bodyLimit)
        }
    ]
    configuration.backends["app"] = BackendSettings(name: "app", kind: .websocket([webSocketEndpoint()]))
    switch Admission.decide(head, Hops(head.fields, arrival), RouteTable(configuration)) {
    case .pass(let request): return request
    case .refused(let refusal): throw refusal
    case .upgrade, .page, .answer, .files, .events, .publish, .demands: throw Refusal(500, "This is no plain request.")
    }
}

func plainRequest(
    _ method: String = "GET", _ more: HTTPFields = [:], version: HTTPVersion = .http11, bodyLimit: Int = 1 << 20,
    arrival: Arrival = directArrival
) throws(Refusal) -> PlainRequest {
    var fields: HTTPFields = ["Host": "example.com"]
    fields.append(more)
    let head = RequestHead(method: method, target: "/a/b?c=d", version: version, fields: fields)
    return try plainRequest(head, arrival: arrival, bodyLimit: bodyLimit)
}

func webSocketEndpoint(path: WebSocketEndpoint.Path = .client) -> WebSocketEndpoint {
    WebSocketEndpoint(
        address: .tcp(host: "127.0.0.1", port: 3000), tls: false, authority: "127.0.0.1:3000", path: path)
}

/// The status of the refusal that `body` throws; nil if it throws none.
func refusedStatus(_ body: () throws(Refusal) -> PlainRequest) -> Int? {
    do throws(Refusal) {
        _ = try body()
        return nil
    } catch {
        return error.status
    }
}

/// What a passage makes of a body that comes in pieces which end at `ends`.
struct Passed: Equatable {
    var progress = BodyPassage.Progress.more
    var sent = ""
    /// How many bytes were read.
    var length = 0

    init(_ progress: BodyPassage.Progress, _ sent: String, length: Int) {
        self.progress = progress
        self.sent = sent
        self.length = length
    }

    init(_ passage: BodyPassage, _ bytes: [UInt8], ends: [Int], thenEOF: Bool = false) {
        var passage = passage
        var output: [UInt8] = []
        for end in ends where end <= bytes.count && self.progress == .more {
            self.progress = passage.pass(bytes.span.extracting(first: end), from: &self.length) {
                output.append(contentsOf: $0)
            }
        }
        if thenEOF, self.progress == .more { self.progress = passage.receivedEOF { output.append(contentsOf: $0) } }
        self.sent = text(output)
    }
}

/// The ways to give bytes to a parser: whole, byte by byte, and in two parts at every point.
func ways(of bytes: [UInt8]) -> [[Int]] {
    [[bytes.count], Array(1...max(1, bytes.count))] + (0..<bytes.count).map { [$0, bytes.count] }
}

/// An input that others have read wrongly, and what has to become of it.
struct CorpusCase<Fate: Sendable>: Sendable, CustomTestStringConvertible {
    let name: String
    let input: [UInt8]
    let fate: Fate

    init(_ name: String, _ input: String, _ fate: Fate) {
        self.name = name
        // Each character is a byte.
        self.input = input.unicodeScalars.map { UInt8($0.value) }
        self.fate = fate
    }

    var testDescription: String { self.name }
}
