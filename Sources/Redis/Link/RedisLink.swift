public import Configuration
public import Connections
internal import DequeModule
public import System
public import TLS

/// The link to a Redis server: commands with their answers, and subscriptions. It connects again by itself, each time with a new look-up of
/// the name, and subscribes anew.
///
/// Confined to the thread of its loop, and has to live as long as that. `LinkMachine` decides, and this acts.
public final class RedisLink: TimerHandler {
    private let settings: ClusterSettings
    private let tls: TLSClientContext?
    private let times: LinkTimes
    private let context: ConnectionContext
    private let lookUp: Resolver.LookUp
    private let calls: BlockingCalls
    private unowned let owner: any RedisLinkOwner
    private var machine: LinkMachine
    private var sides: [LinkMachine.Side: LinkConnection] = [:]
    private var answers: [Int: (Result<RedisValue, RedisFailure>) -> Void] = [:]
    private var nextID = 0
    private var timer: EventLoop.TimerID?
    /// What is still to be done, in this order: what happens meanwhile comes behind it.
    private var steps: Deque<LinkMachine.Action> = []
    private var isActing = false
    /// There is one look-up at a time; one that takes long serves the next attempt.
    private var isLookingUp = false
    private var isConnecting = false

    /// Does nothing before `start`.
    ///
    /// - Parameters:
    ///   - tls: for a `rediss` server; `nil` for others.
    ///   - limits: what the server may send at most.
    ///   - lookUp: looks a name up, on a thread of its own.
    ///   - owner: outlives the link.
    /// - Throws: `SystemError` if the system has no descriptor for it, `TLSError` of the kind `.configuration`.
    public init(
        _ settings: ClusterSettings, tls: TLSClientSettings?, limits: RedisLimits = RedisLimits(),
        times: LinkTimes = LinkTimes(), lookUp: @escaping Resolver.LookUp = Resolver.addresses,
        _ context: ConnectionContext, for owner: any RedisLinkOwner
    ) throws {
        self.settings = settings
        self.tls = try tls.map { try TLSClientContext($0, io: context.tlsIO) }
        self.times = times
        self.context = context
        self.lookUp = lookUp
        self.calls = try BlockingCalls(on: context.loop)
        self.owner = owner
        var random = SystemRandomness()
        self.machine = LinkMachine(settings, limits, times, name: String(random.next(), radix: 36))
    }

    /// Connects, and goes on trying.
    public func start() { self.act(self.machine.start(at: self.context.loop.now)) }

    /// Ends it: commands without an answer fail, and the owner hears nothing more.
    public func stop() { self.act(self.machine.stop()) }

    /// Wants the messages of a channel from now on. It may be asked for at any time, also without a link.
    public func subscribe(to channel: [UInt8]) {
        self.act(self.machine.subscribe(to: channel, at: self.context.loop.now))
    }

    /// Wants no message of the channel any more.
    public func leave(_ channel: [UInt8]) { self.act(self.machine.leave(channel, at: self.context.loop.now)) }

    /// Takes no messages until this is called with `false`. The server keeps so many, and after 20 s the link ends, because nothing arrives.
    public func pauseMessages(_ isPaused: Bool) { self.sides[.subscriptions]?.pause(isPaused) }

    /// Sends a command that answers with a status or a number.
    ///
    /// - Parameter then: gets the answer, perhaps before this returns.
    func ask(_ request: RedisRequest, then: @escaping (Result<RedisValue, RedisFailure>) -> Void) {
        self.nextID += 1
        self.answers[self.nextID] = then
        self.act(self.machine.ask(self.nextID, request, at: self.context.loop.now))
    }

    /// Called by the loop.
    public func timerFired() {
        self.timer = nil
        self.act(self.machine.timerFired(at: self.context.loop.now))
    }

    // MARK: - What happens to the connections

    func connected(_ side: LinkMachine.Side) { self.act(self.machine.connected(side)) }

    func received(_ bytes: Span<UInt8>, on side: LinkMachine.Side) {
        self.act(self.machine.received(bytes, on: side, at: self.context.loop.now))
    }

    func failed(_ reason: String) { self.act(self.machine.failed(reason, at: self.context.loop.now)) }

    // MARK: - Acting

    private func act(_ actions: [LinkMachine.Action]) {
        self.steps.append(contentsOf: actions)
        guard !self.isActing else { return }
        self.isActing = true
        while let action = self.steps.popFirst() { self.act(action) }
        self.isActing = false
        let due = self.machine.due
        if due == .never {
            self.context.loop.cancelTimer(&self.timer)
        } else {
            self.context.loop.setTimer(&self.timer, at: due, self)
        }
    }

    private func act(_ action: LinkMachine.Action) {
        switch action {
        case .connect: self.connect()
        case .send(let bytes, let side): self.sides[side]?.send(bytes)
        case .disconnect:
            self.isConnecting = false
            for side in self.sides.values { side.end() }
            self.sides = [:]
        case .linkUp: self.owner.linkUp()
        case .linkDown(let reason): self.owner.linkDown(reason)
        case .answer(let id, let result): self.answers.removeValue(forKey: id)?(result)
        case .subscribed(let channel): self.owner.subscribed(to: channel)
        case .message(let channel, let payload): self.owner.received(payload, on: channel)
        }
    }

    // MARK: - Connecting

    private func connect() {
        switch self.settings.server.address {
        case .unix(let path): self.connect(to: [.unix(path: path)], host: nil)
        case .abstract(let name): self.connect(to: [.abstract(name: name)], host: nil)
        case .tcp(let host, let port):
            self.isConnecting = true
            guard !self.isLookingUp else { return }
            let lookUp = self.lookUp
            do throws(SystemError) {
                try self.calls.make {
                    lookUp(host, port)
                } then: { [unowned self] in
                    self.lookedUp(host, $0)
                }
                self.isLookingUp = true
            } catch {
                self.failed("\(error)")
            }
        }
    }

    private func lookedUp(_ host: String, _ result: Result<[SocketAddress], ResolveError>) {
        self.isLookingUp = false
        guard self.isConnecting else { return }
        self.isConnecting = false
        switch result {
        case .success(let addresses): self.connect(to: addresses, host: host)
        case .failure(let error): self.failed("\(error)")
        }
    }

    private func connect(to addresses: [SocketAddress], host: String?) {
        let name = self.settings.tls.serverName ?? host
        for side in LinkMachine.Side.allCases {
            let connection = LinkConnection(side, self.context, self)
            self.sides[side] = connection
            connection.connect(
                to: addresses, tls: { [tls] in try tls?.makeConnection(serverName: name) }, within: self.times.connect)
        }
    }
}
