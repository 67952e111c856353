internal import Admission
internal import Redis
internal import Sessions
internal import System
internal import WebSocketProtocol

/// One room at the server, decided without I/O: what came from the server goes in, what members get comes out.
///
/// Its messages come by a subscription. Where there is history, each has the next offset; if one is missing, or after the link was away, history
/// is read behind the last offset that members have. A session that joins and asks for old messages gets them up to the offset that the
/// others have by then, so it needs no state of its own.
struct ClusterRoom {
    enum Stage {
        /// There is no link.
        case away
        /// The subscription is not confirmed.
        case subscribing
        /// What members have is compared with history. Messages that come meanwhile wait.
        case comparing([RoomMessage])
        case live
    }

    /// A session that wants to be a member.
    struct Join {
        enum Progress {
            case waiting
            /// History is being read for it: this is there of it already.
            case reading([RoomMessage])
            /// It has all up to the position.
            case read([RoomMessage], RoomPosition, isWhole: Bool)
        }

        let session: SessionID
        let worker: Int
        let start: RoomRequest.Start
        var progress = Progress.waiting

        /// - Parameter worker: its index.
        init(_ session: SessionID, on worker: Int, from start: RoomRequest.Start) {
            self.session = session
            self.worker = worker
            self.start = start
        }
    }

    enum Action {
        /// Members get it.
        case deliver(RoomMessage)
        /// The session is a member from here on.
        case admit(Join, RoomHistories.Recovery)
        /// `compared` gets the answer, or `cannotCompare`.
        case compare(RoomQuery)
        /// `read` gets the answer, or `cannotRead`.
        case read(RoomQuery, SessionID)
        /// Members may have missed messages that are gone.
        case historyLost
        /// What is published from here on comes.
        case ready
    }

    private(set) var stage: Stage
    /// Where members are; `nil`: unknown, or there is no history.
    private(set) var position: RoomPosition?
    /// Whether messages have positions.
    private var hasHistory: Bool
    private var joins: [Join] = []
    /// Messages that members got while history is read for sessions that join.
    private var recent: [RoomMessage] = []

    init(_ stage: Stage, hasHistory: Bool) {
        self.stage = stage
        self.hasHistory = hasHistory
    }

    /// A reload may change it.
    mutating func remembers(_ hasHistory: Bool) {
        guard hasHistory != self.hasHistory else { return }
        self.hasHistory = hasHistory
        self.position = nil
    }

    // MARK: - The link

    mutating func linkUp() { self.stage = .subscribing }

    /// Sessions that wait are members at once.
    mutating func linkDown() -> [Action] {
        self.stage = .away
        return self.admitWaiting()
    }

    mutating func subscribed() -> [Action] {
        guard case .subscribing = self.stage else { return [] }
        guard self.hasHistory else {
            self.stage = .live
            return [.ready] + self.begin()
        }
        self.stage = .comparing([])
        return [.ready, .compare(self.position.map { .since($0) } ?? .position)]
    }

    // MARK: - Messages

    mutating func received(_ message: RoomMessage) -> [Action] {
        switch self.stage {
        case .away, .subscribing: return []
        case .comparing(var held):
            // So that the array is not copied.
            self.stage = .live
            held.append(message)
            self.stage = .comparing(held)
            return []
        case .live: return self.take(message) + self.settle()
        }
    }

    private mutating func take(_ message: RoomMessage) -> [Action] {
        guard self.hasHistory, let own = message.position else { return self.deliver(message) }
        guard let last = self.position, own.epoch != last.epoch || own.offset != last.offset + 1 else {
            self.position = own
            return self.deliver(message)
        }
        if own.epoch == last.epoch, own.offset <= last.offset { return [] }
        // The room was forgotten, and begins anew.
        if own.epoch != last.epoch, own.offset == 1 {
            self.position = own
            return self.deliver(message)
        }
        self.stage = .comparing([message])
        return [.compare(.since(last))]
    }

    private mutating func deliver(_ message: RoomMessage) -> [Action] {
        let isReading = self.joins.contains { if case .waiting = $0.progress { false } else { true } }
        if isReading { self.recent.append(message) }
        return [.deliver(message)]
    }

    // MARK: - Comparing

    /// History says this of what is behind the members' position.
    mutating func compared(_ answer: RoomRecovery) -> [Action] {
        guard case .comparing(let held) = self.stage else { return [] }
        var actions: [Action] = []
        if answer.isWhole {
            for message in answer.messages {
                self.position = message.position
                actions += self.deliver(message)
            }
            if let last = answer.messages.last?.position, last.offset < answer.position.offset {
                return actions + [.compare(.since(last))]
            }
            self.begin(at: answer.position, held)
        } else if let last = self.position, last.offset == 0, last.epoch != answer.position.epoch {
            // Nothing was published until here, so nothing of that is missing.
            let first = RoomPosition(epoch: answer.position.epoch, offset: 0)
            self.position = first
            return [.compare(.since(first))]
        } else {
            self.position = answer.position
            actions.append(.historyLost)
        }
        return actions + self.goLive(held)
    }

    /// Members that are here already get what was published after the subscription began.
    private mutating func begin(at position: RoomPosition, _ held: [RoomMessage]) {
        if self.position == nil, let first = held.first?.position, first.epoch == position.epoch,
            first.offset <= position.offset
        {
            self.position = RoomPosition(epoch: first.epoch, offset: first.offset - 1)
        } else {
            self.position = position
        }
    }

    mutating func cannotCompare() -> [Action] {
        guard case .comparing(let held) = self.stage else { return [] }
        self.position = nil
        return self.goLive(held)
    }

    private mutating func goLive(_ held: [RoomMessage]) -> [Action] {
        self.stage = .live
        var actions: [Action] = []
        for message in held {
            if case .live = self.stage { actions += self.take(message) } else { actions += self.received(message) }
        }
        guard case .live = self.stage else { return actions }
        return actions + self.settle() + self.begin()
    }

    // MARK: - Joining

    mutating func join(_ join: Join) -> [Action] {
        self.joins.append(join)
        switch self.stage {
        case .away: return self.admitWaiting()
        case .live: return self.begin()
        case .subscribing, .comparing: return []
        }
    }

    /// Sessions that want no old messages are members at once, and history is read for the others.
    private mutating func begin() -> [Action] {
        var actions: [Action] = []
        var reading: [Join] = []
        for var join in self.joins {
            if case .waiting = join.progress {
                guard self.hasHistory, let query = Self.query(join.start) else {
                    actions.append(.admit(join, self.nothing(for: join.start)))
                    continue
                }
                join.progress = .reading([])
                actions.append(.read(query, join.session))
            }
            reading.append(join)
        }
        self.joins = reading
        return actions
    }

    private static func query(_ start: RoomRequest.Start) -> RoomQuery? {
        switch start {
        case .now: nil
        case .since(let epoch, let offset): .since(RoomPosition(epoch: epoch, offset: Int64(offset)))
        case .last(let count): .last(count)
        }
    }

    private func nothing(for start: RoomRequest.Start) -> RoomHistories.Recovery {
        var recovery = RoomHistories.Recovery.none(start)
        recovery.position = self.position.map { RoomHistories.Position($0) }
        return recovery
    }

    /// History says this to a session that joins.
    mutating func read(_ answer: RoomRecovery, for session: SessionID) -> [Action] {
        guard let index = self.joins.firstIndex(where: { $0.session == session }),
            case .reading(let earlier) = self.joins[index].progress
        else { return [] }
        let messages = earlier + answer.messages
        if answer.isWhole, let last = answer.messages.last?.position, last.offset < answer.position.offset {
            self.joins[index].progress = .reading(messages)
            return [.read(.since(last), session)]
        }
        self.joins[index].progress = .read(
            answer.isWhole ? messages : [], answer.position, isWhole: answer.isWhole)
        return self.settle()
    }

    mutating func cannotRead(for session: SessionID) -> [Action] {
        guard let index = self.joins.firstIndex(where: { $0.session == session }) else { return [] }
        let join = self.joins.remove(at: index)
        return [.admit(join, self.nothing(for: join.start))]
    }

    /// Admits sessions that have old messages as far as the members are.
    private mutating func settle() -> [Action] {
        guard case .live = self.stage, !self.joins.isEmpty else { return [] }
        return self.admit { read, position in read.epoch != position.epoch || read.offset <= position.offset }
    }

    /// Without a link there is nothing to wait for: what members do not have yet comes for all of them later.
    private mutating func admitWaiting() -> [Action] {
        let actions = self.admit { _, _ in true }
        let joins = self.joins
        self.joins = []
        self.recent = []
        return actions + joins.map { .admit($0, self.nothing(for: $0.start)) }
    }

    /// Admits sessions for which history was read.
    ///
    /// - Parameter mayEnter: gets the position up to which it was read, and that of the members.
    private mutating func admit(if mayEnter: (RoomPosition, RoomPosition) -> Bool) -> [Action] {
        guard let position = self.position else { return [] }
        var actions: [Action] = []
        var left: [Join] = []
        for join in self.joins {
            if case .read(let messages, let read, let isWhole) = join.progress, mayEnter(read, position) {
                let isWhole = isWhole && read.epoch == position.epoch
                actions.append(.admit(join, self.recovery(of: join, messages, isWhole: isWhole, to: position)))
            } else {
                left.append(join)
            }
        }
        self.joins = left
        let isReading = left.contains { if case .waiting = $0.progress { false } else { true } }
        if !isReading { self.recent = [] }
        return actions
    }

    /// What a session gets: `messages`, those that came meanwhile, and none that members do not have.
    private func recovery(
        of join: Join, _ messages: [RoomMessage], isWhole: Bool, to position: RoomPosition
    ) -> RoomHistories.Recovery {
        var recovery = RoomHistories.Recovery(isWhole: false, position: RoomHistories.Position(position))
        guard isWhole else { return recovery }
        var all: [RoomMessage] = []
        for message in messages + self.recent {
            guard let own = message.position, own.epoch == position.epoch, own.offset <= position.offset else {
                continue
            }
            if let last = all.last?.position, own.offset <= last.offset { continue }
            all.append(message)
        }
        if case .since(_, let offset) = join.start { all.removeAll { ($0.position?.offset ?? 0) <= Int64(offset) } }
        if case .last(let count) = join.start { all = all.suffix(count) }
        recovery.isWhole = true
        recovery.missed = all.map { RoomHistories.Entry($0) }
        return recovery
    }
}
