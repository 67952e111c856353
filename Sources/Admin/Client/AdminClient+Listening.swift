public import Configuration
internal import Connections
internal import HTTP1
internal import System
internal import WebSocketProtocol

/// WebSockets to the admin address.
extension AdminClient {
    /// How a WebSocket ended.
    public enum End: Equatable, Sendable {
        /// The gateway refused it.
        case refused(Answer)
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
    ///   - address: where the gateway listens.
    ///   - target: what is listened to.
    ///   - signals: end it; they are blocked.
    ///   - opened: called when the 101 is here; returns whether to go on.
    ///   - receive: gets each message; returns whether to go on.
    /// - Throws: `Failure`, if no answer comes within 30 s.
    public static func listen(
        _ address: Address, _ target: String, until signals: [Int32], opened: () -> Bool = { true },
        receive: @escaping ([UInt8]) -> Bool
    ) throws(Failure) -> End {
        var randomness = SystemRandomness()
        let key = AcceptKey.makeKey(random: (0..<16).map { _ in UInt8.random(in: 0...255, using: &randomness) })
        let fields: HTTPFields = [
            "Host": "localhost", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
        ]
        let exchange = try self.exchange(
            RequestHead(method: "GET", target: target, fields: fields).bytes, with: address)
        let listener = AdminListener(exchange.context, receive: receive)
        do throws(SystemError) {
            try SignalSource.open(signals, on: exchange.context.loop) { _ in
                exchange.stop()
                listener.stop()
            }
        } catch {
            throw Failure(description: "\(error)")
        }
        switch try self.outcome(of: exchange, with: address) {
        case .answer(let answer): return .refused(answer)
        case .upgraded(let upgrade):
            guard case .once(AcceptKey.value(for: key)) = upgrade.head.fields.only("Sec-WebSocket-Accept") else {
                upgrade.connection.close()
                throw Failure(description: "\(address) is no admin address: Sec-WebSocket-Accept is wrong")
            }
            guard opened() else {
                upgrade.connection.close()
                return .stopped
            }
            return listener.run(upgrade.connection, early: upgrade.early)
        case .stopped: return .stopped
        }
    }
}
