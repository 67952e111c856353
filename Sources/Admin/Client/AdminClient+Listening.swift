internal import Connections
internal import HTTP1
internal import System
internal import WebSocketProtocol

/// WebSockets to the admin address.
extension AdminClient {
    /// What came of a request for a WebSocket.
    public enum Outcome: Equatable, Sendable {
        case refused(Answer)
        case ended(End)
    }

    /// How a WebSocket ended.
    public enum End: Equatable, Sendable {
        /// The gateway closed it.
        case closed(code: UInt16?, reason: String)
        /// The connection is gone.
        case lost(String)
        /// We ended it.
        case stopped
    }

    /// Takes the text messages of a WebSocket until it ends.
    ///
    /// - Parameters:
    ///   - target: the admin address.
    ///   - path: what is listened to.
    ///   - signals: end it; they are blocked.
    ///   - opened: called when the 101 is here; returns whether to go on.
    ///   - receive: gets each message; returns whether to go on.
    /// - Throws: `Failure`, if no answer comes within 30 s.
    public static func listen(
        _ target: AdminTarget, _ path: String, until signals: [Int32], opened: () -> Bool = { true },
        receive: @escaping ([UInt8]) -> Bool
    ) throws(Failure) -> Outcome {
        var randomness = SystemRandomness()
        let key = AcceptKey.makeKey(random: (0..<16).map { _ in UInt8.random(in: 0...255, using: &randomness) })
        var fields = target.fields
        for (name, value) in [
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", key),
        ] { fields.append(name, value) }
        let exchange = try self.exchange(
            RequestHead(method: "GET", target: path, fields: fields).bytes, with: target)
        let listener = AdminListener(exchange.context, receive: receive)
        do throws(SystemError) {
            try SignalSource.open(signals, on: exchange.context.loop) { _ in
                exchange.stop()
                listener.stop()
            }
        } catch {
            throw Failure(description: "\(error)")
        }
        switch try self.outcome(of: exchange, with: target) {
        case .answer(let answer): return .refused(answer)
        case .upgraded(let upgrade):
            guard case .once(AcceptKey.value(for: key)) = upgrade.head.fields.only("Sec-WebSocket-Accept") else {
                upgrade.connection.close()
                throw Failure(description: "\(target.address) is no admin address: Sec-WebSocket-Accept is wrong")
            }
            guard opened() else {
                upgrade.connection.close()
                return .ended(.stopped)
            }
            return .ended(listener.run(upgrade.connection, early: upgrade.early))
        case .stopped: return .ended(.stopped)
        }
    }
}
