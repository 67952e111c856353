public import System
public import TLS

/// Gets a connector's connection. It calls `end` if it does not want one any more.
public protocol ConnectorOwner: ConnectionOwner {
    /// The connection is established, including TLS, and belongs to the owner. The connector has ended.
    func connected(_ connection: Connection)

    /// No connection could be made. The connector has ended.
    func couldNotConnect(_ failure: Connector.Failure)
}

/// Remembers which of a host's addresses work. It is told only if there are several.
public protocol AddressHistory: AnyObject {
    /// The address could not be connected to, or another was faster.
    func failed(at address: SocketAddress, now: MonotonicInstant)

    /// The address could be connected to.
    func connected(at address: SocketAddress)
}

/// Connects to a host at one of its addresses: carries out an `AddressRace` and the TLS handshake, and reports which addresses failed.
///
/// The connection has the connector's owner from the start. During the TLS handshake the owner passes its events on (`shakeHands`,
/// `makeHandshakeStep`).
public final class Connector: TimerHandler {
    /// Why there is no connection.
    public enum Failure {
        /// The host's addresses failed.
        case host(AddressRace.Failure)
        /// The gateway has no descriptors, memory or local ports left.
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
    private let preface: [UInt8]
    private let makeTLS: () throws -> TLSConnection?
    private let history: (any AddressHistory)?
    private let context: ConnectionContext
    private unowned let owner: any ConnectorOwner
    private var race: AddressRace
    private var attempts: [Attempt] = []
    /// The connected address, and its connection, during the TLS handshake.
    private var winner: Int?
    private var connection: Connection?
    private var timer: EventLoop.TimerID?
    private var hasEnded = false
    /// `goOn` is running: its loop handles what happens meanwhile.
    private var isGoingOn = false

    /// Does nothing before `start`.
    ///
    /// - Parameters:
    ///   - addresses: the host's, in the order to try them.
    ///   - source: the local address to connect from; `nil` lets the system choose.
    ///   - tag: identifies the connection if the owner has several.
    ///   - preface: what the connection begins with, before TLS.
    ///   - tls: makes libssl's part, once for each connection; it returns `nil` for no TLS.
    ///   - history: is told which addresses failed and which one worked, if there are several.
    ///   - limit: the time for all of it, TLS handshake included.
    ///   - end: when the owner's own time is over.
    public init(
        to addresses: [SocketAddress], from source: SocketAddress? = nil, tag: UInt8 = 0, preface: [UInt8] = [],
        tls: @escaping () throws -> TLSConnection? = { nil }, history: (any AddressHistory)? = nil,
        within limit: Duration, until end: MonotonicInstant = .never, _ context: ConnectionContext,
        for owner: any ConnectorOwner
    ) {
        // From an IPv4 source no IPv6 address can be reached, and the other way round.
        self.addresses = addresses.filter { source == nil || $0.port == nil || $0.isIPv6 == source?.isIPv6 }
        self.source = source
        self.tag = tag
        self.preface = preface
        self.makeTLS = tls
        self.history = history
        self.context = context
        self.owner = owner
        self.race = AddressRace(self.addresses, at: context.loop.now, within: limit, until: end)
    }

    /// Starts to connect. The owner may be told the outcome before this returns.
    public func start() { self.goOn() }

    /// Does what is due, without waiting for the timer.
    public func look() { self.goOn() }

    /// Stops all attempts. The owner is not called any more.
    public func end() {
        self.hasEnded = true
        self.context.loop.cancelTimer(&self.timer)
        for attempt in self.attempts { self.close(attempt) }
        self.attempts = []
        self.closeConnection()
    }

    /// The next address, or the end of the time, is due.
    public func timerFired() {
        self.timer = nil
        self.goOn()
    }

    // MARK: - TLS handshake

    /// Passes on the owner's `ready`.
    public func shakeHands() {
        if let result = self.connection?.handshakeNews() { self.shookHands(result) }
    }

    /// Passes on the owner's `makeHandshakeStep`.
    ///
    /// - Returns: whether there was anything to do.
    public func makeHandshakeStep() -> Bool {
        guard let connection = self.connection else { return false }
        let step = connection.handshakeStep()
        self.shookHands(step.result)
        return step.hasWorked
    }

    private func shookHands(_ result: Connection.HandshakeResult) {
        switch result {
        case .wantsRead: break
        // TCP stands: whatever fails now, fails in the TLS handshake.
        case .failed(let failure): self.winnerFailed(because: "TLS: \(failure)")
        case .done:
            guard let connection = self.connection else { return }
            self.connection = nil
            self.end()
            self.owner.connected(connection)
        }
    }

    /// The connection has failed: the other addresses are tried.
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

    // MARK: - Connecting

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
            // To a server on the same machine, the connection is often established at once: that saves a turn of the loop.
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
            // The shortage is ours: no address is to blame.
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
            connection.sendPreface(self.preface)
            self.connection = connection
            // The owner can send at once. Waiting for the loop would cost a turn, and would wake the server up twice.
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

    /// With a single address there is no choice to remember.
    private func rememberFailures() {
        guard self.addresses.count > 1 else { return }
        for index in self.race.takeFailures() {
            self.history?.failed(at: self.addresses[index], now: self.context.loop.now)
        }
    }
}
