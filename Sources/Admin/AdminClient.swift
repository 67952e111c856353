package import Configuration
internal import HTTP1
internal import System

/// Asks a running gateway something at its admin address, for the command line: one request, and waiting for its answer.
package enum AdminClient {
    package struct Answer: Equatable, Sendable {
        package var status: Int
        package var body: [UInt8]
    }

    /// Why there is no answer, in a line for people.
    package struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        package let description: String
    }

    /// - Parameter address: every local address stands for this machine.
    package static func ask(
        _ address: Address, _ method: String, _ target: String, body: [UInt8] = []
    ) throws(Failure) -> Answer {
        // By the one name that every admin address answers to.
        var fields: HTTPFields = ["Host": "localhost", "Connection": "close"]
        if method == "POST" {
            fields.append("Content-Type", "application/json")
            fields.append("Content-Length", String(body.count))
        }
        let request = RequestHead(method: method, target: target, fields: fields).bytes + body
        var reason = "no address"
        for candidate in try self.addresses(of: address) {
            switch AdminExchange.outcome(candidate, request) {
            case .answer(let answer): return answer
            case .unreachable(let error): reason = error.reason
            case .broken(let what): throw Failure(description: "\(address) is no admin address: \(what)")
            }
        }
        throw Failure(description: "nobody answers at the admin address \(address): \(reason)")
    }

    private static func addresses(of address: Address) throws(Failure) -> [SocketAddress] {
        switch address {
        case .unix(let path): return [.unix(path: path)]
        case .abstract(let name): return [.abstract(name: name)]
        case .tcp(let host, let port):
            switch Resolver.addresses(of: host.isEmpty ? "localhost" : host, port: port) {
            case .success(let addresses): return addresses
            case .failure(let error): throw Failure(description: "\(error)")
            }
        }
    }
}

/// One connection of the client, on a loop of its own.
private final class AdminExchange: ReadinessHandler, TimerHandler {
    enum Outcome {
        case answer(AdminClient.Answer)
        case unreachable(SystemError)
        /// What answered does not speak HTTP as the gateway does.
        case broken(String)
    }

    /// Longer than the gateway takes to give up itself.
    private static let patience = Duration.seconds(30)
    /// A million sessions are half of it.
    private static let longestAnswer = 1 << 30

    private let loop: EventLoop
    private let descriptor: Int32
    private let request: [UInt8]
    private let buffer = ReadBuffer(count: 64 << 10)
    private var timer: EventLoop.TimerID?
    private var isConnected = false
    private var sent = 0
    private var head: [UInt8] = []
    private var parser = ResponseHeadParser()
    private var body: (status: Int, reader: BodyReader)?
    private var outcome: Outcome?

    static func outcome(_ address: SocketAddress, _ request: [UInt8]) -> Outcome {
        do throws(SystemError) {
            return try AdminExchange(address, request).run()
        } catch {
            return .unreachable(error)
        }
    }

    private init(_ address: SocketAddress, _ request: [UInt8]) throws(SystemError) {
        self.loop = try EventLoop(batch: 4)
        self.request = request
        self.descriptor = try Kernel.connect(address)
    }

    deinit { Kernel.close(self.descriptor) }

    private func run() throws(SystemError) -> Outcome {
        let registration = try self.loop.add(self.descriptor, self)
        defer { self.loop.remove(registration, self.descriptor) }
        self.loop.setTimer(&self.timer, at: self.loop.now + Self.patience, self)
        defer { self.loop.cancelTimer(&self.timer) }
        while true {
            self.loop.turn()
            if let outcome = self.outcome { return outcome }
        }
    }

    func timerFired() {
        self.timer = nil
        self.outcome = .broken("no answer in \(Self.patience.components.seconds) seconds")
    }

    func ready(_ readiness: Readiness) {
        if !self.isConnected {
            if let error = Kernel.takeConnectionError(self.descriptor) { return self.outcome = .unreachable(error) }
            guard readiness.isWritable else { return }
            self.isConnected = true
        }
        self.send()
        self.receive()
    }

    private func send() {
        let request = self.request
        while self.sent < request.count, self.outcome == nil {
            switch Kernel.send(self.descriptor, request.span.extracting(self.sent..<request.count)) {
            case .sent(let count): self.sent += count
            // Either way the answer, or the end, says more.
            case .wouldBlock, .failed: return
            }
        }
    }

    private func receive() {
        let buffer = self.buffer
        while self.outcome == nil {
            var span = buffer.mutableSpan
            switch Kernel.receive(self.descriptor, into: &span) {
            case .bytes(let count, _): self.received(buffer.span.extracting(0..<count))
            case .wouldBlock: return
            case .end:
                guard let status = self.body?.status, let progress = self.body?.reader.receivedEOF() else {
                    return self.outcome = .broken("the connection ended without an answer")
                }
                self.take(progress, status)
            case .failed(let error): self.outcome = .broken(error.reason)
            }
        }
    }

    private func received(_ bytes: Span<UInt8>) {
        guard self.body == nil else { return self.receivedBody(bytes) }
        self.head.append(bytes)
        let bytes = self.head
        switch self.parser.parse(bytes.span) {
        case .incomplete: break
        case .invalid(let error): self.outcome = .broken(error.detail)
        case .head(let head, let length):
            self.body = (head.status, BodyReader(head: head, limit: Self.longestAnswer))
            self.receivedBody(bytes.span.extracting(length..<bytes.count))
        }
    }

    private func receivedBody(_ bytes: Span<UInt8>) {
        guard let status = self.body?.status, let progress = self.body?.reader.received(bytes) else { return }
        self.take(progress, status)
    }

    private func take(_ progress: BodyReader.Progress, _ status: Int) {
        switch progress {
        case .incomplete: break
        case .invalid(let error): self.outcome = .broken("\(error)")
        case .complete: self.outcome = .answer(.init(status: status, body: self.body?.reader.body ?? []))
        }
    }
}
