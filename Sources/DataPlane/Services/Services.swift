internal import Admission
internal import Configuration
internal import Connections
internal import Sessions
internal import WebSocketProtocol

/// The built-in services and bridges of one worker, and what they share. Confined to its thread.
final class Services: SessionServices {
    let rooms: Rooms
    private let compression: WorkerCompression
    /// Places in rooms, for sessions that are about to send their 101.
    private var places: [SessionID: Rooms.Place] = [:]

    init(_ rooms: Rooms, _ compression: WorkerCompression) {
        self.rooms = rooms
        self.compression = compression
    }

    func askForPlace(in room: RoomRequest?, for session: Session, then: @escaping () -> Void) -> Bool {
        guard let room, self.rooms.areShared, let backend = session.route?.backend, let rooms = backend.rooms else {
            return false
        }
        let id = session.id
        self.rooms.askForPlace(for: id, room, of: rooms, backend.settings.history) { [unowned self] place in
            self.places[id] = place
            then()
        }
        return true
    }

    func stopAsking(_ session: Session) {
        self.rooms.stopAsking(session.id)
        guard let place = self.places.removeValue(forKey: session.id) else { return }
        session.route?.backend?.rooms?.leave(place.ledger, session.id, over: self.rooms.network)
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
                session, client, room: room, of: backend, at: self.places.removeValue(forKey: session.id),
                in: self.rooms,
                compression: compression)
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
