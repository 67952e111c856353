internal import Configuration
public import Connections
public import Credentials
public import Observability
internal import Sessions
internal import Synchronization
public import System
internal import TLS

/// One thread with everything it needs: an event loop, listening sockets, libssl contexts, buffers and sessions. Workers share nothing;
/// they talk through mailboxes.
public final class Worker: AcceptorOwner, ClientConnectionOwner, SessionOwner {
    let index: Int
    let loop: EventLoop
    let fleet: Fleet
    /// This worker, as the others see it.
    private let member: Fleet.Member
    let log: Log
    let memory: MemoryAccount
    let services: Services
    /// What the sessions share.
    let context: SessionContext

    private let listeners = WorkerListeners()
    /// The connections without an open session.
    private(set) var clients: [ObjectIdentifier: ClientConnection] = [:]
    /// The sessions that have their client's connection: those that have sent a 101.
    private(set) var sessions: [ObjectIdentifier: Session] = [:]
    /// The connections that have not sent a whole request head yet.
    private var newcomers = Newcomers<ClientConnection>()
    private let paced: PacedClosing
    /// Set when the whole gateway drains: says what happens to sessions that are still being opened.
    private var draining: DrainOrder?
    /// When that drain is over.
    private var drainEnd = MonotonicInstant.never
    /// When the control thread was told last that keys may have changed.
    private var doubtedAt: [KeySource: MonotonicInstant] = [:]

    /// - Throws: `SystemError` or `TLSError`, for what the system or libssl refuses.
    init(_ index: Int, _ shared: WorkerBlueprint) throws {
        self.index = index
        self.fleet = shared.fleet
        self.member = shared.fleet.members[index]
        self.log = shared.log
        self.loop = try EventLoop()
        let connections = ConnectionContext(self.loop)
        let control = shared.fleet.control
        self.memory = MemoryAccount(shared.fleet.memory, self.loop) { control.send(.memoryRose) }
        let compression = WorkerCompression()
        self.services = Services(
            Rooms(self.loop, self.memory, compression, FleetRooms(fleet: shared.fleet, worker: index)), compression)
        self.paced = PacedClosing(self.loop)
        self.context = SessionContext(
            connections, self.memory, self.log, self.services, try WorkerFiles(shared.fleet.files, on: self.loop),
            try WorkerPasswords(shared.fleet.passwords, on: self.loop), shared.credentials,
            try WorkerConfiguration(shared.configuration, io: connections.tlsIO), shared.fleet.scope)
        self.context.revoked = shared.revoked
        self.context.owner = self
        try self.listeners.update(shared.listeners, of: index, connections, for: self)
        let own = self.fleet.members[index]
        try own.mailbox.open(on: self.loop) { [unowned self] in self.received($0) }
        try own.rooms.open(on: self.loop) { [unowned self] in self.received($0) }
    }

    var rooms: Rooms { self.services.rooms }

    /// Runs until told to stop.
    func run() { self.loop.run() }

    // MARK: - Messages

    private func received(_ message: WorkerMessage) {
        switch message {
        case .adopt(let descriptor, let address, let listener, let isCounted):
            self.begin(descriptor, address, listener: listener, isCounted: isCounted)
        case .goOn(let sender): self.services.rooms.goOn(sender)
        case .stopAccepting(let leaving): self.listeners.close(leaving: leaving)
        case .drain(let selection, let order): self.drain(selection, order)
        case .evict(let sessions): self.memory.evict(sessions)
        case .rebalance(let endpoint): self.rebalance(endpoint)
        case .verify(let credentials): self.context.credentials = credentials
        case .revoke(let subjects): self.context.revoked = subjects
        case .ask(let question): question(self)
        case .stop:
            self.abortAll()
            self.context.strangers.end()
            self.loop.stop()
        }
    }

    /// The time in which members leave that may have missed messages, so that they do not all come back at once.
    private static let historyLostTime = Duration.seconds(5)

    private func received(_ news: RoomNews) {
        self.services.rooms.received(news) { [unowned self] members in
            let closings = members.map { member in
                (member.closable, at: Self.historyLostTime * Double.random(in: 0..<1))
            }
            self.paced.close(closings, .byGateway(.historyLost))
        }
    }

    /// Ends everything now.
    func abortAll() {
        for client in Array(self.clients.values) { client.abort() }
        for session in Array(self.sessions.values) { session.abort() }
    }

    // MARK: - Reload

    /// Another configuration is in force. The control thread has checked that it can be used.
    ///
    /// - Parameters:
    ///   - listeners: all listeners from now on.
    ///   - credentials: what credentials are verified with from now on; `nil`: as until now.
    /// - Returns: what it means for the present sessions. Those that have to be drained are closed later, at their paced times.
    public func use(
        _ configuration: ActiveConfiguration, _ listeners: [ListenerBlueprint], _ credentials: KeysAndUsers? = nil
    ) -> SessionFates {
        if let credentials { self.context.credentials = credentials }
        do {
            self.context.configuration = try WorkerConfiguration(
                configuration, io: self.context.connections.tlsIO, replacing: self.context.configuration)
            try self.listeners.update(listeners, of: self.index, self.context.connections, for: self)
        } catch {
            self.log.write(.error, "update-failed", reason: "\(error)")
        }
        var fates = SessionFates()
        for session in self.reloadable {
            guard let fate = session.fate(under: configuration) else { continue }
            session.follow(fate)
            fates.add(session.id, fate)
        }
        return fates
    }

    /// The sessions that a reload may end.
    var reloadable: [any Reloadable] {
        Array(self.sessions.values) + self.clients.values.compactMap { $0.exchange as? EventStream }
    }

    // MARK: - Drain

    private func drain(_ selection: SessionSelection, _ order: DrainOrder) {
        let ending = Ending.byGateway(order.cause)
        var open: [any Closable] = self.sessions.values.filter { $0.isSelected(by: selection) }
        var closings: [PacedClosing.Closing] = []
        for client in Array(self.clients.values) where client.isSelected(by: selection) {
            if client.awaitsAnswer {
                closings.append((PresentExchange(of: client), at: order.end))
            } else if client.isPassing {
                open.append(PresentExchange(of: client))
            } else if client.isIdle || order.opening == .refused {
                client.close(ending)
            }
        }
        for (index, member) in open.shuffled().enumerated() {
            // An answer has until the end of its turn: a part of one is worth nothing.
            let turn = member is Session ? index : index + 1
            closings.append((member, at: turn < order.times.count ? order.times[turn] : order.end))
        }
        self.paced.close(closings, ending)
        if case .all = selection {
            self.draining = order
            self.context.isDraining = true
            self.drainEnd = self.loop.now + order.end
            self.reportIfDrained()
        }
    }

    func opened(_ session: Session) {
        if self.draining != nil {
            self.closeLast(session)
        } else if session.endpoint?.isDraining == true {
            session.close(.byGateway(.drain))
        }
    }

    func passes(_ client: ClientConnection) { self.closeLast(PresentExchange(of: client)) }

    /// Closes what has begun during the drain at the end of that.
    private func closeLast(_ member: @autoclosure () -> any Closable) {
        guard let order = self.draining else { return }
        self.paced.close([(member(), at: max(.zero, self.drainEnd - self.loop.now))], .byGateway(order.cause))
    }

    private func reportIfDrained() {
        if self.draining != nil, self.sessions.isEmpty, self.clients.isEmpty {
            self.fleet.control.send(.drained(worker: self.index))
        }
    }

    private func rebalance(_ endpoint: Endpoint) {
        let candidates = self.sessions.values.filter { $0.endpoint === endpoint && $0.isOpen }
        // The session that was active last is the likeliest to be alive and to come back at once.
        candidates.max { $0.lastUse < $1.lastUse }?.close(.byGateway(.drain))
    }

    // MARK: - Connections and sessions

    /// Where one more connection goes.
    private enum Place {
        /// Here, or on a less loaded worker.
        case here
        /// Another worker has room for a connection without a request; this one has none.
        case elsewhere(Int)
        /// Here, after a newcomer has gone.
        case insteadOfAnother
        case none(because: String)
    }

    /// What `room` found for the connection that is accepted next.
    private var nextPlace = Place.here

    /// No connection goes before there is one to take its place.
    private var place: Place {
        let reason: String
        if !self.fleet.hasRoom {
            reason = "every session's two legs have their descriptors reserved, and no two more are left"
        } else if self.fleet.hasNewcomerRoom(self.index) {
            return .here
        } else if self.draining == nil, let other = self.fleet.newcomerRoom() {
            return .elsewhere(other)
        } else {
            reason = "connections that have sent no request yet have their share of the descriptors, a quarter"
        }
        return self.newcomers.victim(at: self.loop.now) == nil ? .none(because: reason) : .insteadOfAnother
    }

    /// How long accepting pauses without a place. The end of a session, or the request of one, ends the pause.
    private static let pause = Duration.milliseconds(10)

    /// Whether one more connection has a place.
    public func room(for acceptor: Acceptor) -> Acceptor.Room {
        self.nextPlace = self.place
        guard case .none(let reason) = self.nextPlace else { return .free }
        return .none(until: self.loop.now + Self.pause, because: reason)
    }

    /// Begins with a connection, here or on another worker.
    public func accepted(_ descriptor: Int32, from address: SocketAddress, by acceptor: Acceptor) {
        let listener = acceptor.tag
        let subscriber = self.subscriber(address)
        if let own = self.listeners[listener] {
            self.context.metrics.accepted(listener: own.name)
            if let rule = self.rule(of: own, against: address, subscriber) {
                LogSubject(at: address).turnedAway(by: rule, self.context)
                return Kernel.close(descriptor)
            }
        }
        let isCounted = subscriber != nil
        var taker = self.index
        switch self.nextPlace {
        case .elsewhere(let other): taker = other
        case .insteadOfAnother: self.newcomers.victim(at: self.loop.now)?.handle(.roomNeeded)
        case .here, .none:
            if self.draining == nil, let other = self.fleet.shouldTake(insteadOf: self.index),
                self.fleet.hasNewcomerRoom(other)
            {
                taker = other
            }
        }
        self.fleet.members[taker].newcomers.add(1, ordering: .relaxed)
        if taker == self.index {
            self.begin(descriptor, address, listener: listener, isCounted: isCounted)
        } else {
            self.fleet.members[taker].mailbox.send(
                .adopt(descriptor: descriptor, address, listener: listener, isCounted: isCounted))
        }
    }

    /// The rule of a listener that a peer breaks; `nil`: it may come in, and is counted.
    ///
    /// - Parameter subscriber: what it counts for.
    private func rule(
        of listener: Listener, against peer: SocketAddress, _ subscriber: IPNetwork?
    ) -> DoorRule? {
        guard listener.settings.allow.allows(peer.ip) else { return .notAllowed }
        if listener.settings.proxyProtocol, !self.trustedProxies.contains(peer: peer.ip) { return .notTrusted }
        return self.count(subscriber, at: listener)
    }

    /// Counts a connection among those of its address, if it counts for one.
    ///
    /// - Returns: the rule that it breaks; then it is not counted.
    private func count(_ subscriber: IPNetwork?, at listener: Listener) -> DoorRule? {
        let limit = listener.settings.limits.connectionsPerAddress
        guard let subscriber, !listener.addresses.add(subscriber, limit: limit) else { return nil }
        return .tooMany(limit ?? 0)
    }

    func admits(_ client: ClientConnection) -> DoorRule? {
        let subscriber = self.subscriber(client.address)
        if let rule = self.count(subscriber, at: client.listener) { return rule }
        if subscriber != nil { client.addresses = client.listener.addresses }
        self.newcomers.remove(client.newcomer)
        client.newcomer = self.newcomers.add(client, from: subscriber, at: self.loop.now)
        return nil
    }

    /// Logs `accept-paused`.
    public func paused(_ acceptor: Acceptor, because reason: String) {
        var record = LogRecord(.warning, "accept-paused")
        record.add("listener", self.listeners[acceptor.tag]?.name)
        record.add("reason", reason)
        if let count = ProcessUsage.openDescriptors() { record.add("open_files", count) }
        record.add("open_files_limit", self.fleet.descriptorLimit)
        self.log.write(record)
    }

    /// Begins with a connection. The fleet has already counted it as this worker's newcomer.
    ///
    /// - Parameter isCounted: among those of its address.
    private func begin(_ descriptor: Int32, _ address: SocketAddress, listener: Int, isCounted: Bool) {
        guard let listener = self.listeners[listener] else {
            self.member.newcomers.subtract(1, ordering: .relaxed)
            return Kernel.close(descriptor)
        }
        do {
            self.loop.budget.spend(Work.connection)
            let client = try ClientConnection(descriptor, address, listener: listener, self.context, for: self)
            if isCounted { client.addresses = listener.addresses }
            self.clients[ObjectIdentifier(client)] = client
            self.member.sessions.add(1, ordering: .relaxed)
            client.newcomer = self.newcomers.add(client, from: self.subscriber(address), at: self.loop.now)
            if let order = self.draining, order.opening == .refused { client.close(.byGateway(order.cause)) }
        } catch {
            self.member.newcomers.subtract(1, ordering: .relaxed)
            // Only this connection fails; the next one may succeed.
            Kernel.close(descriptor)
            self.leaves(address, isCounted ? listener.addresses : nil)
            self.log.write(.error, "session-failed", reason: "\(error)")
        }
    }

    /// The address that a connection counts for. `nil` for a Unix socket or behind a proxy, where each counts alone.
    private func subscriber(_ address: SocketAddress) -> IPNetwork? {
        guard let ip = address.ip, !self.trustedProxies.contains(ip) else { return nil }
        return ip.subscriber
    }

    private var trustedProxies: TrustedProxies { self.context.configuration.shared.settings.trustedProxies }

    /// A connection is closed.
    ///
    /// - Parameter counts: those that it counts in.
    private func leaves(_ address: SocketAddress, _ counts: AddressCounts?) {
        if let counts, let ip = address.ip { counts.remove(ip.subscriber) }
    }

    func isNewAgain(_ client: ClientConnection) {
        self.member.newcomers.add(1, ordering: .relaxed)
        client.newcomer = self.newcomers.add(client, from: self.subscriber(client.address), at: self.loop.now)
    }

    func isNoLongerNew(_ client: ClientConnection) {
        guard client.newcomer != .none else { return }
        self.newcomers.remove(client.newcomer)
        client.newcomer = .none
        self.member.newcomers.subtract(1, ordering: .relaxed)
    }

    func handedOver(_ client: ClientConnection, to session: Session) {
        self.clients[ObjectIdentifier(client)] = nil
        self.sessions[ObjectIdentifier(session)] = session
        session.addresses = client.addresses
    }

    func ended(_ client: ClientConnection) {
        guard self.clients.removeValue(forKey: ObjectIdentifier(client)) != nil else { return }
        self.isNoLongerNew(client)
        self.leaves(client.address, client.addresses)
        self.hasOneLess()
    }

    func ended(_ session: Session) {
        guard self.sessions.removeValue(forKey: ObjectIdentifier(session)) != nil else { return }
        self.leaves(session.clientAddress, session.addresses)
        self.hasOneLess()
    }

    /// A client's connection is closed.
    private func hasOneLess() {
        self.member.sessions.subtract(1, ordering: .relaxed)
        self.reportIfDrained()
    }

    // MARK: - Keys

    /// The control thread decides when keys are fetched again. It is not told of every token, because anyone can send them.
    private static let doubtsPace = Duration.seconds(1)

    func doubts(_ keys: KeySource) {
        if let last = self.doubtedAt[keys], self.loop.now - last < Self.doubtsPace { return }
        self.doubtedAt[keys] = self.loop.now
        self.fleet.control.send(.unknownKey(keys))
    }

    // MARK: - Endpoints

    func failed(_ endpoint: Endpoint, because reason: String) {
        if endpoint.connectFailed() { self.fleet.control.send(.endpointFailed(endpoint, reason)) }
    }

    func succeeded(_ endpoint: Endpoint) {
        if endpoint.connectSucceeded() { self.fleet.control.send(.endpointSucceeded(endpoint)) }
    }

    func unreachable(_ endpoint: Endpoint) {
        if endpoint.wantsLookUp() { self.fleet.control.send(.unreachable(endpoint)) }
    }
}

/// What all workers are made from.
public struct WorkerBlueprint: Sendable {
    let fleet: Fleet
    let log: Log
    let configuration: ActiveConfiguration
    let listeners: [ListenerBlueprint]
    let credentials: KeysAndUsers
    let revoked: RevokedSubjects

    /// The values of every worker.
    public init(
        fleet: Fleet, log: Log, configuration: ActiveConfiguration, listeners: [ListenerBlueprint],
        credentials: KeysAndUsers = KeysAndUsers(), revoked: RevokedSubjects = RevokedSubjects()
    ) {
        self.fleet = fleet
        self.log = log
        self.configuration = configuration
        self.listeners = listeners
        self.credentials = credentials
        self.revoked = revoked
    }
}
