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
    /// Its backend's name.
    let backend: String
    private let shelf: RoomShelf
    private let state: Mutex<State>

    /// - Parameters:
    ///   - backend: the name of its backend.
    ///   - shelf: has its history.
    ///   - workers: how many there are.
    init(_ name: RoomName, of backend: String, on shelf: RoomShelf, workers: Int) {
        self.name = name
        self.backend = backend
        self.shelf = shelf
        self.state = Mutex(State(workers: workers))
    }

    private struct State {
        /// The number of the latest post.
        var last: UInt64 = 0
        var messages: UInt64 = 0
        /// Of the latest message that came from the server.
        var position: RoomHistories.Position?
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

    /// How many members it has, how many messages there were, and where the last one that came from the server is.
    var counts: (members: Int, messages: UInt64, position: RoomHistories.Position?) {
        self.state.withLock { ($0.receivers(without: nil), $0.messages, $0.position) }
    }

    /// How many members get a message.
    func receivers(without excluded: SessionID?) -> Int { self.state.withLock { $0.receivers(without: excluded) } }

    // MARK: - At the server

    /// Tells the workers with members something, behind all posts until now.
    ///
    /// - Parameters:
    ///   - worker: the only one that is told; `nil`: all.
    ///   - news: made with the number of the latest post.
    func tell(over network: any RoomNetwork, only worker: Int? = nil, _ news: (_ number: UInt64) -> RoomNews) {
        let sleeping = self.state.withLock { state in
            let workers = worker.map { [$0] } ?? state.present
            return workers.filter { network.put(news(state.last), for: $0) }
        }
        for worker in sleeping { network.wake(worker) }
    }

    // MARK: - Posts

    /// Where messages are in the room's history.
    enum Place {
        /// Next in the memory of this gateway.
        ///
        /// - history: what the backend remembers; `nil`: nothing.
        case inMemory(BackendSettings.History?)
        /// Where the server says.
        case atServer(RoomHistories.Position?, at: Duration)
    }

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
    ///   - taken: the number of the latest post that the sender's worker has taken out of its mailbox; `nil`: it can deliver nothing itself.
    ///   - excluded: a session that does not get them.
    func post(
        _ messages: RoomMessages, from sender: RoomSender, over network: any RoomNetwork, taken: UInt64?,
        _ place: Place, without excluded: SessionID? = nil
    ) -> Placed {
        let entries = if case .inMemory(_?) = place { messages.payloads } else { [Message]() }
        return self.state.withLock { state in
            state.last += 1
            state.messages &+= messages.tally.messages
            self.shelf.counts.posted(messages.tally.messages)
            let time: Duration
            let position: RoomHistories.Position?
            switch place {
            case .inMemory(let history):
                time = WallClock.sinceEpoch()
                position = self.shelf.append(
                    entries, at: time, to: self.name, isOccupied: !state.present.isEmpty, history)
            case .atServer(let known, let at):
                (position, time) = (known, at)
                state.position = known
            }
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
                if network.put(.post(post), for: worker) { placed.sleeping.append(worker) }
            }
            return placed
        }
    }
}
