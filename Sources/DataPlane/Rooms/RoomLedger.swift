internal import Admission
internal import Configuration
internal import Sessions
internal import Synchronization
internal import System
internal import WebSocketProtocol

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
        var messages: UInt64 = 0
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

        func receivers(without excluded: SessionID?) -> Int {
            guard let excluded else { return self.present.reduce(0) { $0 + self.members[$1].count } }
            return self.present.reduce(0) { count, worker in
                count + self.members[worker].count - (self.members[worker].contains(excluded) ? 1 : 0)
            }
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

    /// So many members have a post.
    func delivered(_ post: RoomPost, to members: Int) {
        self.shelf.counts.delivered(post.messages.tally.messages, to: members)
    }

    /// How many members it has, and how many messages there were.
    var counts: (members: Int, messages: UInt64) {
        self.state.withLock { ($0.receivers(without: nil), $0.messages) }
    }

    // MARK: - Posts

    /// What became of messages.
    struct Placed {
        let post: RoomPost
        /// Members that it is for.
        let receivers: Int
        /// The sender's worker is to deliver it itself, at once: it was put into no mailbox.
        let isDirect: Bool
        fileprivate var sleeping: [Int] = []
        fileprivate let memoryRose: Bool

        /// Wakes the workers that have it. Call it without a lock.
        func wake(over network: any RoomNetwork) {
            for worker in self.sleeping { network.wake(worker) }
            if self.memoryRose { network.memoryRose() }
        }
    }

    /// Gives messages their place in the order, and to all workers with members. These still have to be woken.
    ///
    /// - Parameters:
    ///   - history: what the backend remembers; `nil`: nothing.
    ///   - taken: the number of the latest post that the sender's worker has taken out of its mailbox; `nil`: it can deliver nothing itself.
    ///   - excluded: a session that does not get them.
    func post(
        _ messages: RoomMessages, from sender: RoomSender, over network: any RoomNetwork, taken: UInt64?,
        _ history: BackendSettings.History?, without excluded: SessionID? = nil
    ) -> Placed {
        let entries = history == nil ? [] : messages.payloads
        return self.state.withLock { state in
            state.last += 1
            state.messages &+= messages.tally.messages
            self.shelf.counts.posted(messages.tally.messages)
            let time = WallClock.sinceEpoch()
            let position = self.shelf.append(
                entries, at: time, to: self.name, isOccupied: !state.present.isEmpty, history)
            let post = RoomPost(
                ledger: self, number: state.last, messages: messages, position: position, at: time, sender: sender,
                excluded: excluded)
            let own = network.worker
            let rose = network.count(post, for: state.present)
            // What is in the mailbox comes first.
            let isAlone = state.present.count == 1 && state.present[0] == own
            let isDirect = taken.map { isAlone && state.inMailbox[own] <= $0 } ?? false
            var placed = Placed(
                post: post, receivers: state.receivers(without: excluded), isDirect: isDirect, memoryRose: rose)
            guard !isDirect else { return placed }
            for worker in state.present {
                state.inMailbox[worker] = post.number
                if network.put(post, for: worker) { placed.sleeping.append(worker) }
            }
            return placed
        }
    }
}
