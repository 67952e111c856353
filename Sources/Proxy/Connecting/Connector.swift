internal import System

/// Who connects to an endpoint. It ends its connector where it wants no connection any more, and when it has one for good.
protocol ConnectorOwner: AnyObject {
    /// There is a connection to `address`, and the descriptor is the owner's. If it turns out to be of no use, `Connector.failed` goes on
    /// with the other addresses.
    func connected(_ descriptor: Int32, to address: SocketAddress)

    /// There will be none. The connector has ended.
    func couldNotConnect(_ failure: Connector.Failure)
}

/// Connects to an endpoint at one of its addresses: does what an `AddressRace` says, and remembers which of them failed.
final class Connector: TimerHandler {
    enum Failure {
        /// The endpoint's.
        case endpoint(AddressRace.Failure)
        /// Ours: descriptors, memory or local ports are used up.
        case gateway(String)
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

    private let endpoint: Endpoint
    private let addresses: [SocketAddress]
    private let source: SocketAddress?
    private unowned let loop: EventLoop
    private unowned let owner: any ConnectorOwner
    private var race: AddressRace
    private var attempts: [Attempt] = []
    private var winner: Int?
    private var timer: EventLoop.TimerID?
    private var hasEnded = false
    /// `goOn` is under way: what happens meanwhile is dealt with there.
    private var isGoingOn = false

    /// - Parameters:
    ///   - addresses: the endpoint's, in the order in which they are to be tried.
    ///   - source: the local address to come from; `nil`: the system's choice.
    ///   - limit: what the endpoint may cost.
    ///   - end: when the owner's own time is over.
    init(
        to endpoint: Endpoint, at addresses: [SocketAddress], from source: SocketAddress?, within limit: Duration,
        until end: MonotonicInstant = .never, on loop: EventLoop, for owner: any ConnectorOwner
    ) {
        self.endpoint = endpoint
        // From an IPv4 address nothing can be reached over IPv6, and the other way round.
        self.addresses = addresses.filter { source == nil || $0.port == nil || $0.isIPv6 == source?.isIPv6 }
        self.source = source
        self.loop = loop
        self.owner = owner
        self.race = AddressRace(self.addresses, at: loop.now, within: limit, until: end)
    }

    /// Begins. The owner may hear of the outcome before this returns.
    func start() { self.goOn() }

    /// The connection that the owner got is of no use: the other addresses are tried.
    func failed(because reason: String) {
        guard let winner = self.winner else { return }
        self.winner = nil
        self.race.failed(winner, because: reason, at: self.loop.now)
        self.goOn()
    }

    /// Does what is due, before its own timer says so.
    func look() { self.goOn() }

    /// Nothing is tried any more, and the owner hears nothing more.
    func end() {
        self.hasEnded = true
        self.loop.cancelTimer(&self.timer)
        for attempt in self.attempts { self.close(attempt) }
        self.attempts = []
    }

    func timerFired() {
        self.timer = nil
        self.goOn()
    }

    // MARK: - Doing what is to be done

    private func goOn() {
        guard !self.isGoingOn else { return }
        self.isGoingOn = true
        defer { self.isGoingOn = false }
        while !self.hasEnded {
            let step = self.race.step(at: self.loop.now)
            self.rememberFailures()
            switch step {
            case .connect(let index): self.begin(index)
            case .stop(let index): self.stop(index)
            case .wait(let until): return self.loop.setTimer(&self.timer, at: until, self)
            case .over where self.addresses.isEmpty: return self.end(because: .endpoint(Self.noAddress))
            case .over(let failure): return self.end(because: .endpoint(failure))
            }
        }
    }

    private func begin(_ index: Int) {
        let address = self.addresses[index]
        do throws(SystemError) {
            let descriptor = try Kernel.connect(address, from: address.port == nil ? nil : self.source)
            // With a server on the same machine it stands at once, and nobody has to wait for another turn.
            if Kernel.isConnected(descriptor) { return self.won(index, descriptor) }
            let attempt = Attempt(index, descriptor, self)
            do throws(SystemError) {
                attempt.registration = try self.loop.add(descriptor, attempt)
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
            if !self.race.postponed(index, at: self.loop.now) { self.end(because: .gateway("\(error)")) }
        }
    }

    private func failed(_ index: Int, _ error: SystemError) {
        self.race.failed(index, because: error.reason, isTimeout: error.isTimeout, at: self.loop.now)
    }

    private func ready(_ attempt: Attempt, _ readiness: Readiness) {
        guard self.attempts.contains(where: { $0 === attempt }) else { return }
        if let error = Kernel.takeConnectionError(attempt.descriptor) {
            self.stop(attempt.index)
            self.failed(attempt.index, error)
        } else if readiness.isWritable {
            self.attempts.removeAll { $0 === attempt }
            if let registration = attempt.registration { self.loop.remove(registration, attempt.descriptor) }
            self.won(attempt.index, attempt.descriptor)
        }
        self.goOn()
    }

    private func won(_ index: Int, _ descriptor: Int32) {
        for other in self.race.connected(index) { self.stop(other) }
        self.rememberFailures()
        self.winner = index
        if self.addresses.count > 1 { self.endpoint.connected(at: self.addresses[index]) }
        self.owner.connected(descriptor, to: self.addresses[index])
    }

    private func stop(_ index: Int) {
        for attempt in self.attempts where attempt.index == index { self.close(attempt) }
        self.attempts.removeAll { $0.index == index }
    }

    private func close(_ attempt: Attempt) {
        if let registration = attempt.registration { self.loop.forget(registration) }
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
            self.endpoint.failed(at: self.addresses[index], now: self.loop.now)
        }
    }
}
