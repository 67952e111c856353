public import System
public import TLS

/// What wants a connection. It ends its connector where it wants none any more.
public protocol ConnectorOwner: ConnectionOwner {
    /// The connection stands, its TLS handshake included, and is the owner's. The connector has ended.
    func connected(_ connection: Connection)

    /// There will be none. The connector has ended.
    func couldNotConnect(_ failure: Connector.Failure)
}

/// What is remembered of a host's addresses, where it has several.
public protocol AddressHistory: AnyObject {
    /// It could not be connected to, or others were faster.
    func failed(at address: SocketAddress, now: MonotonicInstant)

    /// It could be connected to.
    func connected(at address: SocketAddress)
}

/// Connects to a host at one of its addresses: does what an `AddressRace` says, shakes hands where there is TLS, and says which addresses
/// failed.
///
/// The connection's owner is the connector's from the beginning: while the TLS handshake is under way, it passes on what it hears of the
/// connection (`shakeHands`, `makeHandshakeStep`).
public final class Connector: TimerHandler {
    public enum Failure {
        /// The host's.
        case host(AddressRace.Failure)
        /// Ours: descriptors, memory or local ports are used up.
        case shortage(SystemError)
    }

    /// One address that is being connected to.
    private final class Attempt: ReadinessHandler {
        let index: Int
        let descriptor: Int32
        var registration: EventLoop.Registration?
        private unowned let connector: Connector

        init(_ index: Int, _ descriptor: Int32, _ connector: Connector) {
            self.index = index
            self.descriptor = descriptor
            self.connector = connector
        }

        func ready(_ readiness: Readiness) { self.connector.ready(self, readiness) }
    }

    private static let noAddress = AddressRace.Failure(
        reason: "it has no address of the family of `source`", silent: .none)

    private let addresses: [SocketAddress]
    private let source: SocketAddress?
    private let tag: UInt8
    private let makeTLS: () throws -> TLSConnection?
    private let history: (any AddressHistory)?
    private let context: ConnectionContext
    private unowned let owner: any ConnectorOwner
    private var race: AddressRace
    private var attempts: [Attempt] = []
    /// The address that stands, and the connection to it, while its TLS handshake is under way.
    private var winner: Int?
    private var connection: Connection?
    private var timer: EventLoop.TimerID?
    private var hasEnded = false
    /// `goOn` is under way: what happens meanwhile is dealt with there.
    private var isGoingOn = false

    /// - Parameters:
    ///   - addresses: the host's, in the order in which they are to be tried.
    ///   - source: the local address to come from; `nil`: the system's choice.
    ///   - tag: what the owner calls the connection, where it has several.
    ///   - tls: makes libssl's part, once for each connection; `nil`: without TLS.
    ///   - history: hears of addresses that failed, and of one that did not, where there are several.
    ///   - limit: what all of it may take.
    ///   - end: when the owner's own time is over.
    public init(
        to addresses: [SocketAddress], from source: SocketAddress? = nil, tag: UInt8 = 0,
        tls: @escaping () throws -> TLSConnection? = { nil }, history: (any AddressHistory)? = nil,
        within limit: Duration, until end: MonotonicInstant = .never, _ context: ConnectionContext,
        for owner: any ConnectorOwner
    ) {
        // From an IPv4 address nothing can be reached over IPv6, and the other way round.
        self.addresses = addresses.filter { source == nil || $0.port == nil || $0.isIPv6 == source?.isIPv6 }
        self.source = source
        self.tag = tag
        self.makeTLS = tls
        self.history = history
        self.context = context
        self.owner = owner
        self.race = AddressRace(self.addresses, at: context.loop.now, within: limit, until: end)
    }

    /// Begins. The owner may hear of the outcome before this returns.
    public func start() { self.goOn() }

    /// Does what is due, before its own timer says so.
    public func look() { self.goOn() }

    /// Nothing is tried any more, and the owner hears nothing more.
    public func end() {
        self.hasEnded = true
        self.context.loop.cancelTimer(&self.timer)
        for attempt in self.attempts { self.close(attempt) }
        self.attempts = []
        self.closeConnection()
    }

    public func timerFired() {
        self.timer = nil
        self.goOn()
    }

    // MARK: - TLS handshake

    /// The owner heard of the connection.
    public func shakeHands() {
        guard let connection = self.connection, connection.mayRead else { return }
        // One that has left is not waited for. Its last words, an alert, say why.
        guard connection.hasEnded else { return connection.handshakeLater() }
        self.context.loop.budget.spend(EventLoop.workOfLongStep)
        self.shookHands(connection.handshakeStep().result)
    }

    /// It is the connection's turn. Returns whether there was anything to do.
    public func makeHandshakeStep() -> Bool {
        guard let connection = self.connection else { return false }
        let step = connection.handshakeStep()
        self.shookHands(step.result)
        return step.hasWorked
    }

    private func shookHands(_ result: Connection.HandshakeResult) {
        switch result {
        case .wantsRead: break
        case .failed(.tls(let error)): self.winnerFailed(because: "TLS: \(error)")
        case .failed(let failure): self.winnerFailed(because: failure.description)
        case .done:
            guard let connection = self.connection else { return }
            self.connection = nil
            self.end()
            self.owner.connected(connection)
        }
    }

    /// The connection is of no use: the other addresses are tried.
    private func winnerFailed(because reason: String) {
        guard let winner = self.winner else { return }
        self.closeConnection()
        self.winner = nil
        self.race.failed(winner, because: reason, at: self.context.loop.now)
        self.goOn()
    }

    private func closeConnection() {
        self.connection?.close()
        self.connection = nil
    }

    // MARK: - Doing what is to be done

    private func goOn() {
        guard !self.isGoingOn else { return }
        self.isGoingOn = true
        defer { self.isGoingOn = false }
        while !self.hasEnded {
            let step = self.race.step(at: self.context.loop.now)
            self.rememberFailures()
            switch step {
            case .connect(let index): self.begin(index)
            case .stop(let index): self.stop(index)
            case .wait(let until): return self.context.loop.setTimer(&self.timer, at: until, self)
            case .over where self.addresses.isEmpty: return self.end(because: .host(Self.noAddress))
            case .over(let failure): return self.end(because: .host(failure))
            }
        }
    }

    private func begin(_ index: Int) {
        let address = self.addresses[index]
        do throws(SystemError) {
            let descriptor = try Kernel.connect(address, from: address.port == nil ? nil : self.source)
            // With a server on the same machine it stands at once, without another turn of the loop.
            if Kernel.isConnected(descriptor) { return self.won(index, descriptor) }
            let attempt = Attempt(index, descriptor, self)
            do throws(SystemError) {
                attempt.registration = try self.context.loop.add(descriptor, attempt)
            } catch {
                Kernel.close(descriptor)
                throw error
            }
            self.attempts.append(attempt)
        } catch {
            guard error.isShortage || (error.isAddressNotAvailable && !address.isIPv6) else {
                return self.failed(index, error)
            }
            // That is ours, and no address's.
            if !self.race.postponed(index, at: self.context.loop.now) { self.end(because: .shortage(error)) }
        }
    }

    private func failed(_ index: Int, _ error: SystemError) {
        self.race.failed(index, because: error.reason, isTimeout: error.isTimeout, at: self.context.loop.now)
    }

    private func ready(_ attempt: Attempt, _ readiness: Readiness) {
        guard self.attempts.contains(where: { $0 === attempt }) else { return }
        if let error = Kernel.takeConnectionError(attempt.descriptor) {
            self.stop(attempt.index)
            self.failed(attempt.index, error)
        } else if readiness.isWritable {
            self.attempts.removeAll { $0 === attempt }
            if let registration = attempt.registration { self.context.loop.remove(registration, attempt.descriptor) }
            self.won(attempt.index, attempt.descriptor)
        }
        self.goOn()
    }

    private func won(_ index: Int, _ descriptor: Int32) {
        for other in self.race.connected(index) { self.stop(other) }
        self.rememberFailures()
        self.winner = index
        let address = self.addresses[index]
        if self.addresses.count > 1 { self.history?.connected(at: address) }
        do {
            let tls = try self.makeTLS()
            let connection = try Connection(
                descriptor, address, tag: self.tag, tls: tls, owner: self.owner, self.context)
            connection.sendAtOnce()
            self.connection = connection
            // What the owner has to say follows at once: to wait for the loop is another turn, and wakes a server up twice.
            self.shookHands(connection.beginHandshake())
        } catch {
            Kernel.close(descriptor)
            self.winnerFailed(because: "\(error)")
        }
    }

    private func stop(_ index: Int) {
        for attempt in self.attempts where attempt.index == index { self.close(attempt) }
        self.attempts.removeAll { $0.index == index }
    }

    private func close(_ attempt: Attempt) {
        if let registration = attempt.registration { self.context.loop.forget(registration) }
        Kernel.close(attempt.descriptor)
    }

    private func end(because failure: Failure) {
        self.end()
        self.owner.couldNotConnect(failure)
    }

    /// Where there is but one address, there is nothing to choose.
    private func rememberFailures() {
        guard self.addresses.count > 1 else { return }
        for index in self.race.takeFailures() {
            self.history?.failed(at: self.addresses[index], now: self.context.loop.now)
        }
    }
}
