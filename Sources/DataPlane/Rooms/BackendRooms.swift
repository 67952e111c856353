internal import Admission
internal import Sessions
internal import Synchronization

/// The rooms of a `broadcast` backend, on all workers. A reload keeps them.
public final class BackendRooms: Sendable {
    /// Those that have members.
    private let ledgers = Mutex<[RoomName: RoomLedger]>([:])

    /// None.
    init() {}

    /// A session joins a room, which is made if there is none.
    ///
    /// - Parameter network: the workers, one of which has the session.
    /// - Returns: the room, and the number of the latest post that the session does not get.
    func join(
        _ name: RoomName, _ session: SessionID, over network: any RoomNetwork
    ) -> (ledger: RoomLedger, joinedAt: UInt64) {
        self.ledgers.withLock { ledgers in
            let ledger = ledgers[name] ?? RoomLedger(name, workers: network.workers)
            ledgers[name] = ledger
            return (ledger, ledger.join(session, on: network.worker))
        }
    }

    /// A session leaves. The room ends with its last member.
    func leave(_ ledger: RoomLedger, _ session: SessionID, on worker: Int) {
        self.ledgers.withLock { ledgers in
            if ledger.leave(session, on: worker) { ledgers[ledger.name] = nil }
        }
    }
}
