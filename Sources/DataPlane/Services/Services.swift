internal import Admission
internal import Configuration
internal import Connections
internal import Sessions
internal import WebSocketProtocol

/// The built-in services and bridges of one worker, and what they share. Confined to its thread.
final class Services: SessionServices {
    let rooms: Rooms
    private let compression: WorkerCompression

    init(_ rooms: Rooms, _ compression: WorkerCompression) {
        self.rooms = rooms
        self.compression = compression
    }

    func conversation(
        with service: BuiltinService, of session: Session, _ client: Connection, room: RoomRequest?,
        compression: DeflateParameters?
    ) -> (any Conversation)? {
        let compression = compression.map { SessionCompression($0, self.compression) }
        switch service {
        case .echo: return EchoConversation(session, client, compression: compression)
        case .broadcast:
            guard let room, let backend = session.route?.backend?.rooms else { return nil }
            return BroadcastConversation(
                session, client, room: room, of: backend, in: self.rooms, compression: compression)
        case .clock(let every): return ClockConversation(session, client, every: every, compression: compression)
        }
    }

    func bridge(
        of session: Session, _ connections: PerLeg<Connection>, message: BridgeMessage, compression: DeflateParameters?
    ) -> any Conversation {
        BridgeConversation(
            session, connections, message: message,
            compression: compression.map { SessionCompression($0, self.compression) })
    }
}
