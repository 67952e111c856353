internal import Admission
internal import Configuration
internal import Sessions
internal import Synchronization
internal import System

/// One room on all workers, while it has members: it puts the posts of all senders into one order, which is the same for every member.
///
/// Under its lock a post gets its number and goes into the mailbox of every worker that has members, the sender's own included. So all mailboxes
/// have the posts in the same order.
final class RoomLedger: Sendable {
    let name: RoomName
    private let shelf: RoomShelf
    private let state: Mutex<State>

    /// - Parameters:
    ///   - shelf: has its history.
    ///   - workers: how many there are.
    init(_ name: RoomName, on shelf: RoomShelf, workers: Int) {
        self.name = name
        self.shelf = shelf
        self.state = Mutex(State(workers: workers))
    }

    private struct State {
        /// The number of the latest post.
        var last: UInt64 = 0
        /// By worker.
        var members: [Set<SessionID>]
        /// The workers that have members.
        var present: [Int] = []
        /// By worker: the number of the latest post in its mailbox.
        var inMailbox: [UInt64]

        init(workers: Int) {
            self.members = Array(repeating: [], count: workers)
            self.inMailbox = Array(repeating: 0, count: workers)
        }
    }

    // MARK: - Members

    /// A session joins: it gets all posts from now on, and what it missed until now.
    ///
    /// - Returns: the number of the latest post that it does not get, and what it missed.
    func join(
        _ session: SessionID, on worker: Int, from start: RoomRequest.Start, _ history: BackendSettings.History?
    ) -> (number: UInt64, recovery: RoomHistories.Recovery) {
        self.state.withLock { state in
            if state.members[worker].isEmpty { state.present.append(worker) }
            state.members[worker].insert(session)
            return (state.last, self.shelf.recover(start, in: self.name, history))
        }
    }

    /// - Returns: whether it was the last member.
    func leave(_ session: SessionID, on worker: Int) -> Bool {
        self.state.withLock { state in
            guard state.members[worker].remove(session) != nil else { return false }
            if state.members[worker].isEmpty { state.present.removeAll { $0 == worker } }
            return state.present.isEmpty
        }
    }

    // MARK: - Posts

    /// Gives messages their place in the order, and to all workers with members.
    ///
    /// - Parameters:
    ///   - history: what the backend remembers; `nil`: nothing.
    ///   - taken: the number of the latest post that the sender's worker has taken out of its mailbox.
    /// - Returns: a post that the sender's worker is to deliver itself, at once; `nil`: it was put into mailboxes.
    func post(
        _ messages: RoomMessages, from sender: RoomSender, over network: any RoomNetwork, taken: UInt64,
        _ history: BackendSettings.History?
    ) -> RoomPost? {
        let entries = history == nil ? [] : messages.payloads
        var sleeping: [Int] = []
        let (direct, rose) = self.state.withLock { state -> (RoomPost?, Bool) in
            state.last += 1
            let time = WallClock.sinceEpoch()
            let position = self.shelf.append(
                entries, at: time, to: self.name, isOccupied: !state.present.isEmpty, history)
            let post = RoomPost(
                ledger: self, number: state.last, messages: messages, position: position, at: time, sender: sender)
            let own = network.worker
            let rose = network.count(post, for: state.present)
            // What is in the mailbox comes first.
            if state.present.count == 1, state.present[0] == own, state.inMailbox[own] <= taken { return (post, rose) }
            for worker in state.present {
                state.inMailbox[worker] = post.number
                if network.put(post, for: worker) { sleeping.append(worker) }
            }
            return (nil, rose)
        }
        for worker in sleeping { network.wake(worker) }
        if rose { network.memoryRose() }
        return direct
    }
}
