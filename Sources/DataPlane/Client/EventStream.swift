internal import Admission
internal import Configuration
internal import Connections
internal import Observability
internal import Sessions
internal import System
internal import TLS
internal import WebSocketProtocol

/// A member of a room that only listens, by server-sent events: a session without a WebSocket.
///
/// The client's connection stays `ClientConnection`'s; this is its exchange until either side ends it.
final class EventStream: TimerHandler, RoomMember {
    private unowned let client: ClientConnection
    private let context: SessionContext
    private let loop: EventLoop
    private let request: EventsRequest
    /// A reload that keeps the session replaces it by the route's new form.
    private var route: Route
    private let seat: SessionSeat
    let id: SessionID
    var place = -1
    /// `nil` before it begins, and when it is over.
    private var room: Room?
    /// It has asked for its place in the room.
    private var waitsForPlace = false
    /// The number of the room's latest post that it does not get.
    private var joinedAt = UInt64.max
    /// What the client gets when it has taken what it was sent.
    private var late = LateMessages()
    /// The bytes that it got when it joined, until it has taken them: they do not make it a slow reader.
    private var recovered = 0
    private var sent = MessageTally()
    private var lastSent: MonotonicInstant
    private var deadlines: SessionDeadlines
    private var timer: EventLoop.TimerID?

    /// - Parameter seat: where the session is counted.
    init(_ request: EventsRequest, on route: Route, _ seat: SessionSeat, for client: ClientConnection) {
        self.request = request
        self.route = route
        self.seat = seat
        self.client = client
        self.context = client.context
        self.loop = client.loop
        self.id = client.id
        self.lastSent = client.loop.now
        self.deadlines = SessionDeadlines(
            began: client.began, openedAt: client.loop.now, credentialEnds: client.summary.credential?.ends ?? .never)
    }

    private var rooms: Rooms { self.client.owner.rooms }

    /// Joins the room, and answers the request.
    func begin() {
        guard let backend = self.route.backend, let rooms = backend.rooms else { return }
        self.loop.budget.spend(Work.opening)
        let (room, history) = (self.request.room, backend.settings.history)
        guard self.rooms.areShared else {
            return self.begin(self.rooms.place(for: self.id, room, of: rooms, history), backend)
        }
        self.waitsForPlace = true
        self.rooms.askForPlace(for: self.id, room, of: rooms, history) { [weak self] place in
            self?.waitsForPlace = false
            self?.begin(place, backend)
        }
    }

    /// The answer says that the client misses nothing from now on.
    private func begin(_ joined: Rooms.Place, _ backend: Backend) {
        guard let connection = self.client.connection else { return }
        self.room = self.rooms.enter(self, joined)
        self.joinedAt = joined.number
        let head = self.request.head(
            headers: self.route.settings.headers, cookies: self.client.summary.cookies, date: WallClock.httpDate())
        connection.send(head.span)
        self.logOpen(connection)
        self.context.metrics.sessionOpened(
            route: self.route.settings.name, backend: backend.name, handshake: self.loop.now - self.client.began)
        connection.setUserTimeout(self.route.settings.heartbeat?.longestSilence)
        let missed = RoomDelivery.Shared(RoomEvents(joined.recovery, for: self.id), self.rooms.memory)
        self.recovered = missed.bytes.bytes.count
        self.send(missed)
        self.check()
        if self.room != nil { self.client.owner.passes(self.client) }
    }

    // MARK: - As a member

    var closable: any Closable { PresentExchange(of: self.client) }

    func deliver(_ delivery: RoomDelivery) {
        guard delivery.number > self.joinedAt, delivery.excluded != self.id else { return }
        let (events, skipped) = delivery.events
        if skipped > 0 { self.context.metrics.dropped(skipped, route: self.route.settings.name) }
        guard !events.bytes.bytes.isEmpty, let connection = self.client.connection else { return }
        guard connection.queuedBytes > 0 || !self.late.isEmpty else { return self.send(events) }
        let limit = self.route.settings.limits.queue.rawValue
        let most = self.context.memory.bound.isScarce ? min(limit, ConnectionBuffers.readSize) : limit
        let queued = connection.queuedBytes - self.recovered
        switch self.late.add(
            events, self.route.backend?.settings.slowConsumer ?? .close, isOver: queued + self.late.bytes > limit,
            room: max(0, most - queued))
        {
        case .isNext: self.send(events)
        case .tooSlow: self.end(.byGateway(.slowConsumer))
        case .waits(let missed):
            if missed > 0 { self.context.metrics.dropped(missed, route: self.route.settings.name) }
        }
    }

    private func send(_ events: RoomDelivery.Shared) {
        guard let connection = self.client.connection, !events.bytes.bytes.isEmpty else { return }
        self.loop.budget.spend(
            Work.delivery + Work.bytes(events.bytes.bytes.count, tls: connection.tls != nil))
        connection.send(sharing: events.bytes)
        self.sent.text &+= events.tally.text
        self.sent.payloadBytes &+= events.tally.payloadBytes
        self.lastSent = self.loop.now
        self.deadlines.lastData = self.loop.now
    }

    // MARK: - The client

    private var isOver: Bool { self.room == nil && !self.waitsForPlace }

    /// Nothing more is asked for on this connection: what still comes is not looked at.
    private func read(_ connection: Connection) {
        while !self.isOver, connection.mayRead, connection.isOpen {
            switch connection.receive(atMost: self.context.memory.readSize) {
            case .bytes(let range):
                self.client.heard(connection)
                self.loop.budget.spend(Work.read + Work.bytes(range.count, tls: connection.tls != nil))
            case .incomplete: self.client.heard(connection)
            case .nothing: break
            case .end: return self.end(.by(.client, .clientClosed))
            case .failed: return self.end(.by(.client, .clientGone))
            }
            if self.loop.budget.isShareSpent { break }
        }
        if !self.isOver, connection.mayRead { connection.readAgainLater() }
    }

    // MARK: - Ends

    private func end(_ ending: Ending) {
        if self.waitsForPlace { return self.endUnanswered() }
        guard let room = self.room, let backend = self.route.backend?.rooms else { return }
        self.loop.budget.spend(Work.ending)
        self.room = nil
        self.joinedAt = .max
        self.rooms.leave(self, room, of: backend)
        self.loop.cancelTimer(&self.timer)
        while let events = self.late.takeFirst() { self.send(events) }
        self.seat.leave()
        self.count(ending)
        self.logClose(ending)
        switch ending.cause {
        case .clientClosed, .clientGone: self.client.streamEnded(.silent)
        case .clientStalled: self.client.streamEnded(.incomplete)
        default:
            let end = RoomEvents.end
            self.client.connection?.send(end.span)
            self.client.streamEnded(.last)
        }
    }

    /// It ends before it has its place.
    private func endUnanswered() {
        self.waitsForPlace = false
        self.rooms.stopAsking(self.id)
        self.seat.leave()
        self.client.streamEnded(.silent)
    }

    private func count(_ ending: Ending) {
        self.context.metrics.sessionEnded(
            route: self.route.settings.name, backend: self.route.backend?.name ?? "-", cause: ending.cause, code: nil,
            lasted: self.loop.now - self.client.began, tally: PerLeg(client: MessageTally(), backend: self.sent))
    }

    // MARK: - What is due

    func timerFired() {
        self.timer = nil
        self.check()
    }

    private func check() {
        guard self.room != nil, let connection = self.client.connection else { return }
        let (now, timeouts) = (self.loop.now, self.route.settings.timeouts)
        if let cause = self.deadlines.ending(at: now, timeouts) { return self.end(.byGateway(cause)) }
        var next = self.deadlines.next(timeouts, PerLeg(client: .never, backend: .never))
        if let heartbeat = self.route.settings.heartbeat {
            if connection.hasTakenNothing(for: heartbeat.longestSilence, at: now) {
                return self.end(.by(.client, .clientStalled))
            }
            if self.lastSent + heartbeat.interval <= now {
                let comment = RoomEvents.comment
                if connection.queuedBytes == 0 { connection.send(comment.span) }
                self.lastSent = now
            }
            next = min(next, self.lastSent + heartbeat.interval)
        }
        if next != .never { self.loop.setTimer(&self.timer, at: next, self) }
    }

    // MARK: - Log

    private func logOpen(_ connection: Connection) {
        guard var record = self.client.subject.record(.info, "open", self.context) else { return }
        record.add("tls", connection.tls?.version)
        self.context.log.write(record)
    }

    private func logClose(_ ending: Ending) {
        let tally = PerLeg(client: MessageTally(), backend: self.sent)
        self.client.subject.closed(
            SessionEnd(ending, code: nil, after: self.loop.now - self.client.began, tally), self.context)
    }
}

extension EventStream: Reloadable {
    func fate(under configuration: ActiveConfiguration) -> ActiveConfiguration.Fate? {
        guard self.room != nil else { return nil }
        let summary = self.client.summary
        return configuration.fate(
            of: .init(
                route: self.route, endpoint: nil, client: summary.client ?? self.client.address.ip,
                origin: summary.origin, subprotocol: .none, hasEncodedSlash: summary.hasEncodedSlash))
    }

    func follow(_ fate: ActiveConfiguration.Fate) {
        guard case .stays(let route) = fate else { return }
        self.route = route
        self.client.route = route
        // Other times may hold from now on.
        self.check()
    }
}

extension EventStream: Exchange, Listed {
    var isClosable: Bool { self.room != nil }

    var phase: Phase { .serve }

    var row: SessionRow? {
        let now = self.loop.now
        var row = SessionRow(
            id: self.id.description, route: self.route.settings.name, client: self.client.clientName,
            phase: self.phase.rawValue, age: now - self.client.began, idle: now - self.deadlines.lastData)
        row.backend = self.route.backend?.name
        row.origin = self.client.summary.origin
        row.subject = self.client.summary.credential?.subject?.cut
        row.messagesToClient = self.sent.messages
        row.bytesToClient = self.sent.payloadBytes
        row.queueLimit = self.route.settings.limits.queue.rawValue
        row.credentialExpiresIn = self.client.summary.credential.flatMap { $0.ends == .never ? nil : $0.ends - now }
        return row
    }

    var traits: SessionTraits? {
        var traits = SessionTraits(
            id: self.id, route: self.route, endpoint: nil, client: self.client.summary.client ?? self.client.address.ip,
            credential: self.client.summary.credential, began: self.client.began)
        traits.messages = self.sent.messages
        return traits
    }

    var queuedBytes: Int { 0 }

    /// A drain closes it as it closes an answer.
    var isPlain: Bool { true }

    var hasAnswered: Bool { true }

    func ready(client: Connection, _ readiness: Readiness) {
        if client.failure != nil || client.takeFailure() != nil { return self.end(.by(.client, .clientGone)) }
        if client.queuedBytes == 0 { self.recovered = 0 }
        while client.queuedBytes == 0, let events = self.late.takeFirst() { self.send(events) }
        self.read(client)
    }

    func close(_ ending: Ending) { self.end(ending) }

    func memoryNeeded() { self.end(.byGateway(.memory)) }

    func isSelected(by selection: SessionSelection) -> Bool {
        switch selection {
        case .all: true
        case .ofBackend(let name): self.route.backend?.name == name
        case .ofEndpoint: false
        case .these(let sessions): sessions.contains(self.id)
        }
    }
}
