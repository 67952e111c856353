import Configuration
import Fuzzing
import HTTP1
import WebSocketProtocol

@testable import Admission
@testable import Credentials

/// Request heads give the same result whole or in pieces. No decision traps, and an admitted request makes a valid one for the backend.
@main
enum FuzzRequest {
    static func main() {
        let configuration = self.configuration()
        let routes = RouteTable(configuration)
        let client = IPAddress("192.0.2.1")
        let arrivals = [
            Arrival(peer: client, listenerIsSecure: false),
            Arrival(peer: client, listenerIsSecure: true),
            Arrival(peer: client, listenerIsSecure: false, trustedProxies: configuration.trustedProxies),
        ]
        let address = Address.tcp(host: "127.0.0.1", port: 3000)
        let endpoints = [WebSocketEndpoint.Path.client, .fixed("/other"), .below("/base/")].map {
            WebSocketEndpoint(address: address, tls: false, authority: "127.0.0.1:3000", path: $0)
        }
        fuzz { bytes in
            var choices = Choices(bytes)
            let arrival = choices.pick(arrivals)
            let endpoint = choices.pick(endpoints)
            let sizes = choices.bytes(2)
            let input = choices.rest()

            var parser = RequestHeadParser(takesHTTP10: true)
            let whole = parser.parse(input.span)
            expect(self.parse(input, sizes) == whole, "a head depends on the pieces")
            guard case .head(let head, let length) = whole else { return }
            expect(length <= input.count, "a head longer than what came")

            switch Admission.decide(head, Hops(head.fields, arrival), routes) {
            case .page, .pass: break
            case .files(let request): self.check(request)
            case .demands(let demand, let decision): self.check(demand, decision, endpoint)
            case .answer(let answer, _, let headOnly, _):
                var second = ResponseHeadParser()
                let sent = answer.bytes(forHead: headOnly, date: "now")
                guard case .head(let read, _) = second.parse(sent.span) else {
                    expect(false, "an answer that cannot be read")
                    return
                }
                let location = read.fields.values("Location")
                expect(location.count == 1 && location[0].hasPrefix("https://"), "sent to \(location)")
            case .refused(let refusal): self.check(refusal)
            case .upgrade(let admitted): _ = self.sent(admitted, endpoint)
            }
        }
    }

    /// The request that a backend gets.
    private static func sent(_ admitted: Admitted, _ endpoint: WebSocketEndpoint) -> RequestHead {
        let bytes = BackendRequest.bytes(
            for: admitted, to: endpoint, on: .subtree("/"), host: .pass, key: "k", sessionID: "s", without: nil)
        var second = RequestHeadParser(limits: HeadLimits(bytes: .max, fields: .max))
        guard case .head(let sent, length: bytes.count) = second.parse(bytes.span) else {
            fatalError("a request to a backend that cannot be read")
        }
        let once = [
            "Host", "Sec-WebSocket-Key", "Upgrade", "Connection", "X-Request-Id", "X-Forwarded-For",
            "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Real-IP",
        ]
        for name in once {
            expect(sent.fields.values(name).count == 1, "not one \(name) to the backend")
        }
        for name in ["Transfer-Encoding", "Content-Length", "TE", "Trailer"] {
            expect(sent.fields.first(name) == nil, "\(name) to the backend")
        }
        return sent
    }

    /// Whatever a request shows, its refusals can be sent; and once it is let in, backends see its name and not its token.
    private static func check(_ demand: Demand, _ decision: Admission.Decision, _ endpoint: WebSocketEndpoint) {
        for reason in [Demand.Reason.missing, .refused(.password), .forbidden("no"), .unverifiable("no"), .crowded] {
            let refusal = demand.refusal(reason)
            expect([302, 401, 403, 429, 503].contains(refusal.status), "refused with \(refusal.status)")
            self.check(refusal)
        }
        switch decision.granted(["X-User": "alice"]) {
        case .upgrade(let admitted): self.check(self.sent(admitted, endpoint))
        case .pass(let request):
            expect(request.grantedFields.values("X-User") == ["alice"], "no name")
            var head = request.checked.head
            head.fields.append("X-User", "alice")
            self.check(head)
        case .files(let request): self.check(request)
        case .page, .answer, .refused, .demands: break
        }
    }

    /// An error, or the way to where one signs in.
    private static func check(_ refusal: Refusal) {
        guard refusal.status == 302 else {
            return expect((400..<600).contains(refusal.status), "refused with \(refusal.status)")
        }
        let location = refusal.answer.fields.values("Location")
        expect(
            location.count == 1 && location[0].hasPrefix("https://login.example.com/?rd=http"), "sent to \(location)")
        expect(location[0].utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }, "a field that splits")
    }

    private static func check(_ sent: RequestHead) {
        let names = sent.fields.filter { HeaderName.folded($0.name) == "x-user" }.map(\.value)
        expect(names == ["alice"], "a client that names itself: \(names)")
        let query = sent.target.firstIndex(of: "?").map { String(sent.target[$0...].dropFirst()) } ?? ""
        expect(QueryParameters(query).values("token").isEmpty, "a token in the URL of a backend")
    }

    /// Only what is below the folder, and not hidden, is looked for.
    private static func check(_ request: FileRequest) {
        guard case .below(_, let name) = request.place else { return }
        let segments = name.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        expect(!name.bytes.contains(0), "a zero in a name")
        expect(!segments.contains { $0.first == UInt8(ascii: ".") }, "a name that is hidden, or leads out")
        expect(!segments.dropLast().contains { $0.isEmpty }, "a name with two slashes in a row")
    }

    private static func parse(_ input: [UInt8], _ sizes: [UInt8]) -> HeadProgress<RequestHead> {
        var parser = RequestHeadParser(takesHTTP10: true)
        var received: [UInt8] = []
        for piece in Choices.pieces(of: input, sizes: sizes) {
            received += piece
            let progress = parser.parse(received.span)
            if progress != .incomplete { return progress }
        }
        return .incomplete
    }

    /// Routes of every kind.
    private static func configuration() -> GatewayConfiguration {
        let text = """
            trusted-proxies: [192.0.2.0/24]
            listeners: [{address: "127.0.0.1:0"}]
            routes:
              - {path: /, page: console}
              - {path: /echo, backend: echo, origins: any}
              - path: /chat
                hosts: [chat.example.com, "*.chat.example.com"]
                origins: [https://chat.example.com, "https://*.example.com"]
                subprotocols: [chat.v2, chat.v1]
                require-subprotocol: true
                backend: relay
              - {path: /clock, backend: echo, require-origin: true}
              - {path: /files/*, files: /srv}
              - path: /in/*
                backend: relay
                http: pass
                auth:
                  - jwt: {keys: k, algorithms: [ES256], audience: any, send: {X-User: sub},
                          token: [header, "cookie:session", "query:token", subprotocol]}
                  - basic: {file: f}
                sign-in: https://login.example.com/
              - {path: /own/*, files: /srv, auth: {basic: {file: f}}}
              - {path: /*, scheme: https, redirect: "https://new.example.com"}
              - {path: /old/*, redirect: https, scheme: http}
              - {path: /docs/*, backend: relay, encoded-slashes: keep}
              - {path: /*, backend: relay, http: pass}
            backends:
              echo: {builtin: echo}
              relay: {websocket: ["ws://127.0.0.1:3000"]}
            """
        do {
            return try ConfigurationReader.read(text: text, file: "fuzz", environment: [:])
        } catch {
            fatalError(error.description)
        }
    }
}
