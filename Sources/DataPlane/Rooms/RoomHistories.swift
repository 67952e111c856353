internal import Admission
internal import Configuration
internal import DequeModule
internal import Sessions
internal import System
internal import WebSocketProtocol

/// What the rooms of one backend remember, decided without I/O: their latest messages, and the keys of messages that were published.
///
/// All of it together has a bound. When it is reached, these go first, in this order: rooms without members of which nothing but epoch and
/// offset is known; the oldest messages of a room that is one of the largest (none has twice as much); the oldest keys.
struct RoomHistories {
    /// How long epoch and last offset of a room without members are known after its last message, or after it was made.
    static let knownFor = Duration.seconds(7 * 86_400)
    /// How long a key stands for the message that was published with it.
    static let keysFor = Duration.seconds(5 * 60)

    /// A message as history has it.
    struct Entry: Equatable, Sendable {
        let message: Message
        /// When it was posted, since 1970-01-01 00:00 UTC.
        let at: Duration

        /// The approximate memory, in bytes.
        var cost: Int { self.message.payload.count + 96 }
    }

    /// A message's place in its room.
    struct Position: Equatable, Sendable {
        /// Letters and digits. It changes when offsets begin anew.
        let epoch: String
        /// 1 for the first message; 0: before it.
        let offset: Int
    }

    /// What a member gets when it joins.
    struct Recovery: Equatable, Sendable {
        /// It gets all that it asked for.
        var isWhole: Bool
        /// The latest message; `nil` without history.
        var position: Position?
        /// What it missed, up to that one.
        var missed: [Entry] = []

        /// Without history only those that asked for nothing can get it.
        static func none(_ start: RoomRequest.Start) -> Recovery {
            if case .since = start { Recovery(isWhole: false) } else { Recovery(isWhole: true) }
        }
    }

    /// One room.
    fileprivate struct Record {
        /// Another one for each record, so that an old one of this name is not taken for it.
        let id: Int
        let epoch: String
        /// The offset of the latest message.
        var last = 0
        var entries: Deque<Entry> = []
        /// The memory of the entries, in bytes.
        var bytes = 0
        /// Of the last message; of its beginning, if there was none.
        var used: MonotonicInstant
        var isOccupied: Bool

        var isBare: Bool { self.entries.isEmpty && !self.isOccupied }
    }

    private struct PublishedKey: Hashable {
        let room: RoomName
        let text: String

        var cost: Int { self.room.text.utf8.count + self.text.utf8.count + 192 }
    }

    private let makeEpoch: () -> String
    private var records: [RoomName: Record] = [:]
    private var nextID = 0
    /// Rooms with entries, by the power of two of their bytes: the last set that is not empty has one of the largest.
    private var sizes: [Set<RoomName>] = Array(repeating: [], count: 64)
    /// All records, in turn: each call looks at a few of them, whether their time is over.
    private var turns: Deque<(name: RoomName, id: Int)> = []
    private var keys: [PublishedKey: (answer: Published, end: MonotonicInstant)] = [:]
    private var keyTurns: Deque<(key: PublishedKey, end: MonotonicInstant)> = []
    /// The approximate memory of all, in bytes.
    private(set) var bytes = 0

    init(makeEpoch: @escaping () -> String = { String(Randomness.word(), radix: 36) }) { self.makeEpoch = makeEpoch }

    // MARK: - Messages

    /// Adds messages of one room.
    ///
    /// - Parameter isOccupied: the room has members.
    /// - Returns: the place of the first.
    mutating func append(
        _ messages: [Entry], to room: RoomName, isOccupied: Bool, _ rules: BackendSettings.History,
        now: MonotonicInstant
    ) -> Position {
        self.look(rules, now)
        self.open(room, isOccupied: isOccupied, rules, now)
        let position = self.change(room) { record in
            let position = Position(epoch: record.epoch, offset: record.last + 1)
            record.used = now
            record.last += messages.count
            for message in messages {
                record.entries.append(message)
                record.bytes += message.cost
            }
            while record.entries.count > rules.messages { record.removeFirst() }
            return position
        }
        self.fit(rules.memory.rawValue)
        return position ?? Position(epoch: "", offset: 0)
    }

    /// A member joins.
    mutating func recover(
        _ start: RoomRequest.Start, in room: RoomName, _ rules: BackendSettings.History, now: MonotonicInstant
    ) -> Recovery {
        self.look(rules, now)
        self.open(room, isOccupied: true, rules, now)
        self.change(room) { $0.isOccupied = true }
        self.fit(rules.memory.rawValue)
        guard let record = self.records[room] else { return .none(start) }
        var recovery = Recovery(isWhole: true, position: Position(epoch: record.epoch, offset: record.last))
        switch start {
        case .now: break
        case .last(let count): recovery.missed = record.entries.suffix(min(count, rules.messages))
        case .since(let epoch, let offset):
            // All or nothing: a part of it would look like all.
            let missed = record.last - offset
            recovery.isWhole = epoch == record.epoch && missed >= 0 && missed <= record.entries.count
            if recovery.isWhole { recovery.missed = record.entries.suffix(missed) }
        }
        return recovery
    }

    /// The room has no members any more.
    mutating func vacated(_ room: RoomName) { self.change(room) { $0.isOccupied = false } }

    /// What is remembered of a room; `nil`: nothing.
    func contents(
        of room: RoomName, _ rules: BackendSettings.History, now: MonotonicInstant
    ) -> (position: Position, entries: [Entry])? {
        guard let record = self.records[room] else { return nil }
        let isOver = record.used + rules.lifetime <= now
        return (Position(epoch: record.epoch, offset: record.last), isOver ? [] : Array(record.entries))
    }

    /// What is known of a room; `nil`: nothing.
    func facts(of room: RoomName, _ rules: BackendSettings.History, now: MonotonicInstant) -> RoomFacts? {
        guard let record = self.records[room] else { return nil }
        let isOver = record.used + rules.lifetime <= now
        var facts = RoomFacts(room)
        facts.messages = UInt64(record.last)
        facts.position = (record.epoch, record.last)
        facts.remembered = isOver ? 0 : record.entries.count
        facts.bytes = isOver ? 0 : record.bytes
        return facts
    }

    /// The rooms of which something is known.
    var names: [RoomName] { Array(self.records.keys) }

    /// Forgets a room: its offsets begin anew, in another epoch.
    mutating func forget(_ room: RoomName, now: MonotonicInstant) {
        let wasOccupied = self.records[room]?.isOccupied == true
        self.remove(room)
        for key in self.keys.keys.filter({ $0.room == room }) { self.remove(key) }
        if wasOccupied { self.make(room, isOccupied: true, now) }
    }

    /// Forgets all rooms, and keeps the keys.
    mutating func forgetAll() {
        for room in Array(self.records.keys) { self.remove(room) }
        self.turns = []
    }

    // MARK: - Keys

    /// What came of the message that was published with a key; `nil`: there was none of late.
    func answer(to key: String, in room: RoomName, now: MonotonicInstant) -> Published? {
        guard let (answer, end) = self.keys[PublishedKey(room: room, text: key)], now < end else { return nil }
        return answer
    }

    /// A message was published with a key.
    mutating func keep(
        _ answer: Published, for key: String, in room: RoomName, _ rules: BackendSettings.History,
        now: MonotonicInstant
    ) {
        self.look(rules, now)
        let key = PublishedKey(room: room, text: key)
        self.remove(key)
        let end = now + Self.keysFor
        self.keys[key] = (answer, end)
        self.keyTurns.append((key, end))
        self.bytes += key.cost
        self.fit(rules.memory.rawValue)
    }

    private mutating func remove(_ key: PublishedKey) {
        if self.keys.removeValue(forKey: key) != nil { self.bytes -= key.cost }
    }

    // MARK: - Records

    /// Makes sure that there is a record of the room, without what is too old.
    private mutating func open(
        _ room: RoomName, isOccupied: Bool, _ rules: BackendSettings.History, _ now: MonotonicInstant
    ) {
        self.expire(room, rules, now)
        if self.records[room] == nil { self.make(room, isOccupied: isOccupied, now) }
    }

    private mutating func make(_ room: RoomName, isOccupied: Bool, _ now: MonotonicInstant) {
        self.nextID += 1
        self.records[room] = Record(id: self.nextID, epoch: self.makeEpoch(), used: now, isOccupied: isOccupied)
        self.turns.append((room, self.nextID))
        self.bytes += Self.cost(of: room)
    }

    private mutating func remove(_ room: RoomName) {
        guard let record = self.records.removeValue(forKey: room) else { return }
        self.bytes -= Self.cost(of: room) + record.bytes
        if record.bytes > 0 { self.sizes[Self.size(record.bytes)].remove(room) }
    }

    private static func cost(of room: RoomName) -> Int { room.text.utf8.count + 384 }

    /// The power of two below a number above 0.
    private static func size(_ bytes: Int) -> Int { Int.bitWidth - 1 - bytes.leadingZeroBitCount }

    /// Changes a record, and what is known of its memory.
    @discardableResult
    private mutating func change<Result>(_ room: RoomName, _ body: (inout Record) -> Result) -> Result? {
        guard let index = self.records.index(forKey: room) else { return nil }
        let before = self.records.values[index].bytes
        let result = body(&self.records.values[index])
        let after = self.records.values[index].bytes
        self.bytes += after - before
        if before > 0, after == 0 || Self.size(before) != Self.size(after) {
            self.sizes[Self.size(before)].remove(room)
        }
        if after > 0, before == 0 || Self.size(before) != Self.size(after) { self.sizes[Self.size(after)].insert(room) }
        return result
    }

    // MARK: - What goes

    /// Looks at a few rooms and keys whether their time is over. A call adds one of each at most, so all are looked at again and again.
    private mutating func look(_ rules: BackendSettings.History, _ now: MonotonicInstant) {
        for _ in 0..<2 {
            guard let turn = self.turns.popFirst() else { break }
            guard self.records[turn.name]?.id == turn.id else { continue }
            self.expire(turn.name, rules, now)
            if self.records[turn.name] != nil { self.turns.append(turn) }
        }
        while let (key, end) = self.keyTurns.first, end <= now || self.keys[key]?.end != end {
            self.keyTurns.removeFirst()
            if self.keys[key]?.end == end { self.remove(key) }
        }
    }

    private mutating func expire(_ room: RoomName, _ rules: BackendSettings.History, _ now: MonotonicInstant) {
        guard let record = self.records[room] else { return }
        if !record.entries.isEmpty, record.used + rules.lifetime <= now { self.change(room) { $0.removeAll() } }
        if !record.isOccupied, record.used + Self.knownFor <= now { self.remove(room) }
    }

    /// How many rooms are looked at for one that nothing is lost with.
    private static let mostLooks = 8

    /// Takes away what is over the bound.
    private mutating func fit(_ most: Int) {
        while self.bytes > most {
            if self.removeBare() { continue }
            if let room = self.sizes.last(where: { !$0.isEmpty })?.first {
                self.change(room) { $0.removeFirst() }
            } else if let (key, end) = self.keyTurns.popFirst() {
                if self.keys[key]?.end == end { self.remove(key) }
            } else {
                return
            }
        }
    }

    /// - Returns: whether there was one.
    private mutating func removeBare() -> Bool {
        for _ in 0..<min(Self.mostLooks, self.turns.count) {
            guard let turn = self.turns.popFirst() else { return false }
            guard let record = self.records[turn.name], record.id == turn.id else { continue }
            if record.isBare {
                self.remove(turn.name)
                return true
            }
            self.turns.append(turn)
        }
        return false
    }
}

extension RoomHistories.Record {
    fileprivate mutating func removeFirst() {
        if let entry = self.entries.popFirst() { self.bytes -= entry.cost }
    }

    fileprivate mutating func removeAll() {
        self.entries = []
        self.bytes = 0
    }
}
