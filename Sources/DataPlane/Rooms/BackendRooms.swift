internal import Admission
internal import Configuration
internal import Sessions
internal import Synchronization

/// The rooms of a `broadcast` backend, on all workers. A reload keeps them.
public final class BackendRooms: Sendable {
    /// Those that have members.
    private let ledgers = Mutex<[RoomName: RoomLedger]>([:])
    private let shelf = RoomShelf()

    /// None.
    init() {}

    /// A session joins a room, which is made if there is none.
    ///
    /// - Parameter network: the workers, one of which has the session.
    /// - Returns: the room, and what `RoomLedger.join` returns.
    func join(
        _ request: RoomRequest, _ session: SessionID, over network: any RoomNetwork,
        _ history: BackendSettings.History?
    ) -> (ledger: RoomLedger, number: UInt64, recovery: RoomHistories.Recovery) {
        self.ledgers.withLock { ledgers in
            let name = request.name
            let ledger = ledgers[name] ?? RoomLedger(name, on: self.shelf, workers: network.workers)
            ledgers[name] = ledger
            let (number, recovery) = ledger.join(session, on: network.worker, from: request.start, history)
            return (ledger, number, recovery)
        }
    }

    /// A session leaves. The room ends with its last member.
    func leave(_ ledger: RoomLedger, _ session: SessionID, on worker: Int) {
        self.ledgers.withLock { ledgers in
            guard ledger.leave(session, on: worker) else { return }
            ledgers[ledger.name] = nil
            self.shelf.vacated(ledger.name)
        }
    }
}
