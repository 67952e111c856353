internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Redis
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// The rooms of all workers at the server that gateways share. Confined to a thread of its own.
///
/// A member's message goes to the server, and to members, here too, when it comes back by the subscription. So all members of all gateways have
/// one order. `ClusterRoom` decides what members get; this acts. Workers are told through their mailboxes, as by any other worker.
final class ClusterRooms: TimerHandler {
    private enum Link {
        /// There is no server: rooms are in memory.
        case none
        /// The first attempt to connect is not over.
        case starting(RedisLink)
        case up(RedisLink)
        case away(RedisLink)
    }

    /// How often a pause is looked at.
    private static let patience = Duration.milliseconds(10)
    /// How often the server is asked for positions, so that it keeps them for rooms that are quiet.
    private static let refreshPeriod = Duration.seconds(86_400)
    /// How often refusals of the server are logged at most.
    private static let refusalPace = Duration.seconds(60)

    private let loop: EventLoop
    private let fleet: Fleet
    private let network: any RoomNetwork
    private let log: Log
    private let context: ConnectionContext
    private var settings: ClusterSettings?
    private var link = Link.none
    /// Links live as long as the loop.
    private var links: [RedisLink] = []
    private var rooms: [[UInt8]: SharedRoom] = [:]
    /// The same, found without making a name.
    private var roomsByLedger: [ObjectIdentifier: SharedRoom] = [:]
    private var nextNumber = 0
    /// Tells this gateway's messages from those of others.
    private let origin = "\(SessionID.random())"
    /// When the server's last refusal was logged.
    private var refusedAt: MonotonicInstant?
    private var timer: EventLoop.TimerID?
    private var refreshAt: MonotonicInstant
    /// No messages are taken, because workers are behind with delivering.
    private var isPaused = false

    /// - Throws: `SystemError`, for what the system refuses.
    init(_ fleet: Fleet, _ log: Log) throws(SystemError) {
        self.loop = try EventLoop()
        self.fleet = fleet
        // None of the workers: members get all by mailbox.
        self.network = FleetRooms(fleet: fleet, worker: 0)
        self.log = log
        self.context = ConnectionContext(self.loop, readSize: 32 << 10)
        self.refreshAt = self.loop.now + Self.refreshPeriod
        try fleet.cluster.orders.open(on: self.loop) { [unowned self] in self.received($0) }
        self.setTimer()
    }

    /// Runs until it is told to stop.
    func run() { self.loop.run() }

    // MARK: - Orders

    private func received(_ order: ClusterOrder) {
        switch order {
        case .use(let settings, let tls, let backends): self.use(settings, tls, backends)
        case .join(let ledger, let session, let worker, let start, let history):
            let room = self.room(of: ledger, history)
            self.act(room.machine.join(.init(session, on: worker, from: start)), in: room)
        case .vacated(let ledger): self.vacated(ledger)
        case .post(let ledger, let messages, let sender, let history):
            let room = self.room(of: ledger, history)
            if case .subscribing = room.machine.stage { return room.held.append(order) }
            for message in messages.payloads { self.post(message, of: sender, to: room) }
        case .publish(let publication, let place): self.publish(publication, to: place, order)
        case .show(let place, let answer): self.show(place, answer)
        case .forget(let place, let answer):
            guard let link = self.commands, let keys = self.keys(of: place) else { return answer(nil) }
            link.forget(keys) { answer(try? $0.get()) }
        case .stop:
            self.end()
            self.loop.stop()
        }
    }

    /// The link, if commands can be sent.
    private var commands: RedisLink? { if case .up(let link) = self.link { link } else { nil } }

    private func keys(of place: ClusterOrder.Place) -> RoomKeys? {
        self.settings.map { RoomKeys(prefix: $0.prefix, backend: place.rooms.backend, room: place.room.text) }
    }

    /// The room at the server, which is subscribed to.
    private func room(of ledger: RoomLedger, _ history: BackendSettings.History?) -> SharedRoom {
        let room = self.roomsByLedger[ObjectIdentifier(ledger)] ?? self.join(ledger, hasHistory: history != nil)
        room.bounds = history.map { RoomHistoryBounds($0) }
        room.machine.remembers(history != nil)
        return room
    }

    private func join(_ ledger: RoomLedger, hasHistory: Bool) -> SharedRoom {
        let prefix = self.settings?.prefix ?? ""
        let keys = RoomKeys(prefix: prefix, backend: ledger.backend, room: ledger.name.text)
        let room: SharedRoom
        if let known = self.rooms[keys.channel] {
            self.roomsByLedger[ObjectIdentifier(known.ledger)] = nil
            room = known
            room.ledger = ledger
        } else {
            let stage: ClusterRoom.Stage
            switch self.link {
            case .none, .away: stage = .away
            case .starting, .up: stage = .subscribing
            }
            room = SharedRoom(ledger, keys, ClusterRoom(stage, hasHistory: hasHistory))
            self.rooms[keys.channel] = room
            self.currentLink?.subscribe(to: keys.channel)
        }
        self.roomsByLedger[ObjectIdentifier(ledger)] = room
        return room
    }

    private var currentLink: RedisLink? {
        switch self.link {
        case .none: nil
        case .starting(let link), .up(let link), .away(let link): link
        }
    }

    private func vacated(_ ledger: RoomLedger) {
        // It may have members again, in another ledger.
        guard let room = self.roomsByLedger.removeValue(forKey: ObjectIdentifier(ledger)) else { return }
        self.rooms[room.keys.channel] = nil
        room.isOpen = false
        self.currentLink?.leave(room.keys.channel)
        self.releaseAll(of: room)
        for order in room.held { self.received(order, withoutRoom: room) }
    }

    /// The members that sent it have left.
    private func received(_ order: ClusterOrder, withoutRoom room: SharedRoom) {
        switch order {
        case .post(_, let messages, let sender, _):
            for message in messages.payloads { self.release(Self.size(of: message), of: sender) }
        default: self.received(order)
        }
    }

    // MARK: - The server

    private func use(
        _ settings: ClusterSettings?, _ tls: TLSClientSettings?,
        _ backends: [(rooms: BackendRooms, history: BackendSettings.History?)]
    ) {
        let former = self.currentLink
        self.link = .none
        former?.stop()
        self.wentAway()
        let rooms = Array(self.rooms.values)
        self.rooms = [:]
        self.roomsByLedger = [:]
        self.settings = settings
        defer { self.showStatus(isUp: false) }
        guard let settings else { return }
        do {
            let link = try RedisLink(settings, tls: tls, self.context, for: self)
            self.links.append(link)
            self.link = .starting(link)
        } catch {
            // Not expected: the settings were tried before.
            return self.log.write(.error, "update-failed", reason: "\(error)")
        }
        for old in rooms { self.move(old) }
        for (rooms, history) in backends {
            for ledger in rooms.occupied { _ = self.room(of: ledger, history) }
        }
        self.currentLink?.start()
    }

    /// Takes a room along to another server. What members have is compared with what is there.
    private func move(_ old: SharedRoom) {
        guard let settings = self.settings, old.ledger.counts.members > 0 else { return }
        let keys = RoomKeys(prefix: settings.prefix, backend: old.ledger.backend, room: old.ledger.name.text)
        let room = SharedRoom(old.ledger, keys, old.machine)
        old.isOpen = false
        room.bounds = old.bounds
        room.machine.linkUp()
        self.rooms[keys.channel] = room
        self.roomsByLedger[ObjectIdentifier(room.ledger)] = room
        self.currentLink?.subscribe(to: keys.channel)
    }

    private func showStatus(isUp: Bool) {
        self.fleet.cluster.set(
            self.settings.map {
                ClusterStatus(server: $0.server.description, isUp: isUp, since: self.loop.now)
            })
    }

    private func wentAway() {
        self.isPaused = false
        for room in Array(self.rooms.values) {
            let actions = room.machine.linkDown()
            let onTheWay = room.onTheWay
            room.onTheWay = [:]
            for (_, sent) in onTheWay.sorted(by: { $0.key < $1.key }) {
                // With history it comes later, if the server has it. Without, nothing says whether it does.
                if room.bounds == nil { self.deliver(sent.message, to: room, from: sent.sender) }
                self.release(sent.size, of: sent.sender)
            }
            self.act(actions, in: room)
            self.sendHeld(of: room)
        }
    }

    private func end() {
        self.currentLink?.stop()
        self.link = .none
        for room in self.rooms.values { self.releaseAll(of: room) }
        self.loop.cancelTimer(&self.timer)
    }

    private func setTimer() {
        let next = self.isPaused ? self.loop.now + Self.patience : self.refreshAt
        self.loop.setTimer(&self.timer, at: next, self)
    }

    func timerFired() {
        self.timer = nil
        if self.isPaused, !self.fleet.isBacklogged {
            self.isPaused = false
            self.currentLink?.pauseMessages(false)
        }
        if self.refreshAt <= self.loop.now { self.refresh() }
        self.setTimer()
    }

    /// Other gateways send, too, so senders here that wait are not enough.
    private func pauseIfBehind() {
        guard !self.isPaused, self.fleet.isBacklogged else { return }
        self.isPaused = true
        self.currentLink?.pauseMessages(true)
        self.setTimer()
    }

    private func refresh() {
        self.refreshAt = self.loop.now + Self.refreshPeriod
        guard let link = self.commands else { return }
        for room in self.rooms.values {
            guard let bounds = room.bounds else { continue }
            link.recover(.position, of: room.keys, bounds) { _ in }
        }
    }

    // MARK: - What members send

    private static func size(of message: Message) -> Int { RoomMessages.footprint(onTheWay: message.payload.count) }

    /// A message of a member goes to the server; without a link, to the members here.
    private func post(_ message: Message, of sender: RoomSender, to room: SharedRoom) {
        let size = Self.size(of: message)
        guard let link = self.commands else {
            self.deliver(message, to: room, from: sender)
            return self.release(size, of: sender)
        }
        let number = self.nextNumber
        self.nextNumber += 1
        room.onTheWay[number] = SharedRoom.OnTheWay(message: message, sender: sender, size: size)
        var publication = RoomPublication(message.payload, isText: message.opcode == .text, receivers: 0)
        publication.origin = "\(self.origin).\(number)"
        link.publish(publication, in: room.keys, room.bounds) { [unowned self] result in
            switch result {
            // It comes by the subscription.
            case .success: break
            // `linkDown` follows.
            case .failure(.unknown): break
            case .failure(let failure):
                self.refused(failure)
                guard let sent = room.onTheWay.removeValue(forKey: number) else { return }
                self.deliver(sent.message, to: room, from: sent.sender)
                self.release(sent.size, of: sent.sender)
            }
        }
    }

    /// Members here get a message that is not in history.
    private func deliver(
        _ message: Message, to room: SharedRoom, from sender: RoomSender, without excluded: SessionID? = nil
    ) {
        guard room.isOpen else { return }
        let placed = room.ledger.post(
            RoomMessages(message), from: sender, over: self.network, taken: nil,
            .atServer(nil, at: WallClock.sinceEpoch()), without: excluded)
        placed.wake(over: self.network)
    }

    private func refused(_ failure: RedisFailure) {
        if let last = self.refusedAt, self.loop.now - last < Self.refusalPace { return }
        self.refusedAt = self.loop.now
        self.log.write(.warning, "cluster-refused", reason: "\(failure)")
    }

    /// A message has come back, or failed.
    private func release(_ size: Int, of sender: RoomSender) {
        _ = self.network.count(onTheWay: -size)
        if sender.delivered(size) { self.network.goOn(sender) }
    }

    private func releaseAll(of room: SharedRoom) {
        for sent in room.onTheWay.values { self.release(sent.size, of: sent.sender) }
        room.onTheWay = [:]
    }

    private func sendHeld(of room: SharedRoom) {
        let held = room.held
        room.held = []
        for order in held { self.received(order) }
    }

    // MARK: - What is published by HTTP

    private func publish(_ publication: ClusterOrder.Publication, to place: ClusterOrder.Place, _ order: ClusterOrder) {
        let ledger = place.rooms.occupied(place.room)
        let room = ledger.map { self.room(of: $0, place.history) }
        if let room, case .subscribing = room.machine.stage { return room.held.append(order) }
        guard let link = self.commands, let keys = self.keys(of: place) else {
            guard place.history == nil else { return publication.answer(nil) }
            return publication.answer(
                place.rooms.publish(
                    publication.message, to: place.room, key: publication.key, without: publication.excluded,
                    over: self.network, nil))
        }
        var sent = RoomPublication(
            publication.message.payload, isText: publication.message.opcode == .text,
            receivers: ledger?.receivers(without: publication.excluded) ?? 0)
        sent.excluded = publication.excluded.map { "\($0)" }
        sent.idempotencyKey = publication.key.map { Array($0.utf8) }
        link.publish(sent, in: keys, place.history.map { RoomHistoryBounds($0) }) { [unowned self] result in
            switch result {
            case .success(let done):
                publication.answer(
                    Published(
                        position: done.position.map { RoomHistories.Position($0) }, receivers: done.receivers))
            case .failure(let failure):
                self.refused(failure)
                publication.answer(nil)
            }
        }
    }

    private func show(_ place: ClusterOrder.Place, _ answer: @escaping @Sendable (RoomHistories.Recovery?) -> Void) {
        guard let link = self.commands, let keys = self.keys(of: place), let history = place.history else {
            return answer(nil)
        }
        link.recover(.last(history.messages), of: keys, RoomHistoryBounds(history)) { result in
            answer(
                (try? result.get()).map { found in
                    RoomHistories.Recovery(
                        isWhole: found.isWhole,
                        position: RoomHistories.Position(found.messages.last?.position ?? found.position),
                        missed: found.messages.map { RoomHistories.Entry($0) })
                })
        }
    }

    // MARK: - What members get

    private func act(_ actions: [ClusterRoom.Action], in room: SharedRoom) {
        for action in actions where room.isOpen { self.act(action, in: room) }
    }

    private func act(_ action: ClusterRoom.Action, in room: SharedRoom) {
        switch action {
        case .deliver(let message): self.deliver(message, to: room)
        case .admit(let join, let recovery):
            room.ledger.tell(over: self.network, only: join.worker) {
                .joined(join.session, room.ledger, number: $0, recovery)
            }
        case .historyLost: room.ledger.tell(over: self.network) { _ in .historyLost(room.ledger) }
        case .ready: self.sendHeld(of: room)
        case .compare(let query):
            self.read(query, of: room) {
                $0.machine.compared($1)
            } otherwise: {
                $0.machine.cannotCompare()
            }
        case .read(let query, let session):
            self.read(query, of: room) {
                $0.machine.read($1, for: session)
            } otherwise: {
                $0.machine.cannotRead(for: session)
            }
        }
    }

    private func read(
        _ query: RoomQuery, of room: SharedRoom, then: @escaping (SharedRoom, RoomRecovery) -> [ClusterRoom.Action],
        otherwise: @escaping (SharedRoom) -> [ClusterRoom.Action]
    ) {
        guard let link = self.commands else { return }
        let bounds = room.bounds ?? RoomHistoryBounds(BackendSettings.History())
        link.recover(query, of: room.keys, bounds) { [unowned self] result in
            switch result {
            case .success(let answer): self.act(then(room, answer), in: room)
            // `linkDown` follows.
            case .failure(.unknown), .failure(.away): break
            case .failure(let failure):
                self.refused(failure)
                self.act(otherwise(room), in: room)
            }
        }
    }

    /// Members get a message of the server.
    private func deliver(_ message: RoomMessage, to room: SharedRoom) {
        let sent = self.number(of: message).flatMap { room.onTheWay.removeValue(forKey: $0) }
        let sender = sent?.sender ?? RoomSender(worker: self.network.worker, of: self.network.workers)
        let position = message.position.map { RoomHistories.Position($0) }
        let placed = room.ledger.post(
            RoomMessages(Message(message)), from: sender, over: self.network, taken: nil,
            .atServer(position, at: .milliseconds(message.time)), without: message.excluded.flatMap { SessionID($0) })
        placed.wake(over: self.network)
        if let sent { self.release(sent.size, of: sent.sender) }
    }

    /// The number of a message of this gateway.
    private func number(of message: RoomMessage) -> Int? {
        guard let origin = message.origin, origin.hasPrefix(self.origin) else { return nil }
        return Int(origin.dropFirst(self.origin.utf8.count + 1))
    }
}

extension ClusterRooms: RedisLinkOwner {
    func linkUp() {
        guard let link = self.currentLink, let server = self.settings?.server else { return }
        self.link = .up(link)
        self.showStatus(isUp: true)
        var record = LogRecord(.info, "cluster-up")
        record.add("server", server.description)
        self.log.write(record)
        for room in self.rooms.values { room.machine.linkUp() }
    }

    func linkDown(_ reason: String) {
        guard let link = self.currentLink, let server = self.settings?.server else { return }
        // The attempts that follow are no news.
        if case .away = self.link { return }
        self.link = .away(link)
        self.showStatus(isUp: false)
        var record = LogRecord(.warning, "cluster-down")
        record.add("server", server.description)
        record.add("reason", reason)
        self.log.write(record)
        self.wentAway()
    }

    func subscribed(to channel: [UInt8]) {
        guard let room = self.rooms[channel] else { return }
        self.act(room.machine.subscribed(), in: room)
    }

    func received(_ payload: [UInt8], on channel: [UInt8]) {
        guard let room = self.rooms[channel], let message = RoomMessage(payload) else { return }
        self.act(room.machine.received(message), in: room)
        self.pauseIfBehind()
    }
}

extension RoomHistoryBounds {
    /// Those of the configuration.
    fileprivate init(_ history: BackendSettings.History) {
        self.init(messages: history.messages, for: history.lifetime)
    }
}
