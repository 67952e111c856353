internal import Configuration
internal import Observability
internal import System

/// The running gateway's connection to a successor.
final class TakeoverConnection: ReadinessHandler, TimerHandler {
    private let socket: Int32
    private let process: Int32
    private let server: TakeoverServer
    private var side = PredecessorSide()
    private var outbox = TakeoverOutbox()
    private var registration: EventLoop.Registration?
    private var timer: EventLoop.TimerID?

    /// Owns `socket` from now on, unless it throws.
    init(_ socket: Int32, process: Int32, server: TakeoverServer) throws(SystemError) {
        self.socket = socket
        self.process = process
        self.server = server
        self.registration = try server.loop.add(socket, self)
        self.startTimer()
    }

    private func startTimer() {
        self.server.loop.setTimer(&self.timer, at: self.server.loop.now + self.server.patience, self)
    }

    // MARK: - Events

    func ready(_ readiness: Readiness) {
        self.flush()
        self.read()
    }

    func timerFired() {
        self.timer = nil
        self.refuse("nothing was heard of the successor for \(self.server.patience)")
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while self.registration != nil {
            var span = buffer.mutableSpan
            switch Kernel.receive(self.socket, into: &span) {
            case .bytes(let count, _):
                self.startTimer()
                for action in self.side.received(buffer[..<count]) { self.perform(action) }
            case .wouldBlock: return
            // Not an error of this process. The successor's configuration may be wrong.
            case .end: self.end(because: "the successor ended before it was ready")
            case .failed(let error): self.end(because: "\(error)")
            }
        }
    }

    private func perform(_ action: PredecessorSide.Action) {
        switch action {
        case .offer:
            let listeners = self.server.offer()
            for (address, descriptors) in listeners { self.outbox.add(listener: address, sockets: descriptors) }
            self.addRevoked()
            self.outbox.add(.end)
            self.write(.info, "takeover-offered", reason: nil)
            self.flush()
        case .release(let adopted):
            self.write(.info, "takeover-released", reason: nil)
            self.server.release(adopted: adopted, successor: self.process)
            self.addRevoked()
            self.outbox.add(.released)
            self.flush()
            self.close()
        case .refuse(let error):
            self.refuse(error.description)
        }
    }

    /// With the offer, so that they are kept out from the start; and at the end, because some may have come meanwhile.
    private func addRevoked() {
        for (subject, seconds) in self.server.revoked() { self.outbox.add(.revoked(subject, seconds: seconds)) }
    }

    // MARK: - Ends

    /// Tells the successor why there is no takeover, and ends the connection.
    func refuse(_ reason: String) {
        guard self.registration != nil else { return }
        // If part of the offer is not sent yet, a refusal would come too late.
        if self.outbox.isEmpty {
            self.outbox.add(.refused(reason))
            self.flush()
        }
        self.end(because: reason)
    }

    private func flush() {
        guard self.registration != nil else { return }
        do throws(SystemError) {
            try self.outbox.flush(to: self.socket)
        } catch {
            self.end(because: "\(error)")
        }
    }

    /// Ends the connection without a takeover. The gateway carries on.
    private func end(because reason: String) {
        guard self.registration != nil else { return }
        self.write(.warning, "takeover-failed", reason: reason)
        self.close()
    }

    private func close() {
        guard let registration = self.registration else { return }
        self.registration = nil
        self.server.loop.cancelTimer(&self.timer)
        self.server.loop.remove(registration, self.socket)
        Kernel.close(self.socket)
        self.server.ended(self)
    }

    private func write(_ level: LogLevel, _ event: String, reason: String?) {
        var record = LogRecord(level, event)
        record.add("successor", self.process)
        record.add("reason", reason)
        self.server.log.write(record)
    }
}
