internal import Configuration
internal import Connections
internal import Sessions
internal import System

/// What is due, with a request and between two.
extension HTTPRelay {
    /// Does what is due, and sets the timer to what is due next.
    func check() {
        guard let current = self.current else { return self.checkKept() }
        let now = self.loop.now
        let timeouts = current.route.settings.timeouts
        if self.client.connection?.hasTakenNothing(for: timeouts.requestBody, at: now) == true {
            return self.handle(.answerNotTaken)
        }
        if self.backend?.hasTakenNothing(for: timeouts.requestBody, at: now) == true {
            return self.handle(.requestNotTaken)
        }
        var next = now + timeouts.requestBody
        switch current.machine.awaits {
        // A client that is held back cannot send; then the backend is waited for.
        case .requestBody where self.client.connection?.isPaused != true:
            if now - current.lastPiece >= timeouts.requestBody { return self.handle(.requestStalled) }
            next = min(next, current.lastPiece + timeouts.requestBody)
        case .answerHead:
            if now - current.lastPiece >= timeouts.response { return self.handle(.answerTimeOver) }
            next = min(next, current.lastPiece + timeouts.response)
        case .answerBody where !current.isProbed: self.probe(current)
        case .requestBody, .connection, .answerBody, .nothing: break
        }
        self.setDeadline(at: next)
    }

    /// An answer may pause for as long as it likes, if both its sides are there. Asked late, because most answers are short.
    private func probe(_ current: PassedRequest) {
        current.isProbed = true
        self.client.connection?.keepAlive(KeepAlive(current.route.settings.heartbeat))
        self.backend?.keepAlive(KeepAlive(current.route.settings.backendHeartbeat))
    }

    private func checkKept() {
        guard self.backend != nil else { return }
        let end = self.keptSince + ExchangeMachine.longestKept
        if end <= self.loop.now { self.closeBackend() } else { self.setDeadline(at: end) }
    }
}

extension PassedRequest {
    /// The first that can be due.
    var shortestWait: Duration {
        min(self.route.settings.timeouts.response, self.route.settings.timeouts.requestBody)
    }
}
