internal import Configuration
internal import HTTP1
internal import System

/// What becomes of the link to a server: what happened goes in, what to do comes out. It has no socket and no clock.
///
/// A link is two connections, one for commands and one for subscriptions, because RESP2 wants that. They begin and end together.
struct LinkMachine {
    enum Side: CaseIterable {
        case commands
        case subscriptions
    }

    enum Action: Equatable {
        /// Look the name up, and connect both sides.
        case connect
        case send([UInt8], Side)
        /// Close both sides, or stop connecting them.
        case disconnect
        case linkUp
        /// - Parameter reason: half a sentence for the log.
        case linkDown(String)
        /// - Parameter id: the command's.
        case answer(Int, Result<RedisValue, RedisFailure>)
        case subscribed([UInt8])
        case message([UInt8], payload: [UInt8])
    }

    private enum Stage {
        case stopped
        case pausing(until: MonotonicInstant)
        case connecting(until: MonotonicInstant)
        case up(since: MonotonicInstant)
    }

    /// A side's part of the connection.
    private struct Conversation {
        enum Phase {
            case absent
            case greeting(Greeting)
            case open
        }

        var phase = Phase.absent
        var reader: RedisReader
    }

    /// Whether what is published arrives.
    private enum Probe {
        /// Nothing is asked before this.
        case due(MonotonicInstant)
        /// Something was published, and has to come.
        case awaited(until: MonotonicInstant)

        var due: MonotonicInstant {
            switch self {
            case .due(let instant), .awaited(let instant): instant
            }
        }
    }

    /// The id of commands of the link itself.
    private static let ownID = -1

    private let settings: ClusterSettings
    private let limits: RedisLimits
    private let times: LinkTimes
    /// What is published there comes to this gateway alone.
    private let probeChannel: [UInt8]
    private var stage = Stage.stopped
    private var commandSide: Conversation
    private var subscriptionSide: Conversation
    private var commands = CommandQueue()
    private var subscriptions = Subscriptions()
    private var pace: ReconnectPace
    private var probe = Probe.due(.never)

    /// - Parameter name: what no other gateway has, in letters and digits.
    init(_ settings: ClusterSettings, _ limits: RedisLimits, _ times: LinkTimes, name: String) {
        self.settings = settings
        self.limits = limits
        self.times = times
        self.probeChannel = Array("\(settings.prefix):probe:\(name)".utf8)
        self.pace = ReconnectPace(times)
        self.commandSide = Conversation(reader: RedisReader(limits))
        self.subscriptionSide = Conversation(reader: RedisReader(limits))
        self.subscriptions.want(self.probeChannel)
    }

    /// Whether commands can be sent.
    var isUp: Bool { if case .up = self.stage { true } else { false } }

    /// When `timerFired` has something to do.
    var due: MonotonicInstant {
        switch self.stage {
        case .stopped: .never
        case .pausing(let until), .connecting(let until): until
        case .up: min(self.commands.deadline, self.subscriptions.deadline, self.probe.due)
        }
    }

    // MARK: - Beginning and ending

    mutating func start(at now: MonotonicInstant) -> [Action] {
        guard case .stopped = self.stage else { return [] }
        return self.connect(at: now)
    }

    private mutating func connect(at now: MonotonicInstant) -> [Action] {
        self.stage = .connecting(until: now + self.times.connect)
        return [.connect]
    }

    /// A side is connected, with TLS where there is TLS.
    mutating func connected(_ side: Side) -> [Action] {
        let greeting = Greeting(self.settings)
        self[side] = Conversation(phase: .greeting(greeting), reader: RedisReader(self.limits))
        return [.send(greeting.first.bytes, side)]
    }

    /// A side could not be connected or has ended, or something cannot be right.
    ///
    /// - Parameter reason: half a sentence for the log.
    mutating func failed(_ reason: String, at now: MonotonicInstant) -> [Action] {
        let upSince: MonotonicInstant?
        switch self.stage {
        case .stopped, .pausing: return []
        case .connecting: upSince = nil
        case .up(let since): upSince = since
        }
        self.stage = .pausing(until: self.pace.next(upSince: upSince, at: now))
        return [.disconnect] + self.forget(because: reason) + [.linkDown(reason)]
    }

    /// Nothing is sent and awaited any more.
    mutating func stop() -> [Action] {
        if case .stopped = self.stage { return [] }
        self.stage = .stopped
        return [.disconnect] + self.forget(because: "the link was closed")
    }

    private mutating func forget(because reason: String) -> [Action] {
        for side in Side.allCases { self[side] = Conversation(reader: RedisReader(self.limits)) }
        self.subscriptions.end()
        return self.commands.end().filter { $0 != Self.ownID }.map { .answer($0, .failure(.unknown(reason))) }
    }

    private subscript(side: Side) -> Conversation {
        get { side == .commands ? self.commandSide : self.subscriptionSide }
        set { if side == .commands { self.commandSide = newValue } else { self.subscriptionSide = newValue } }
    }

    // MARK: - What the user wants

    /// - Parameter id: not negative; `answer` has it.
    mutating func ask(_ id: Int, _ request: RedisRequest, at now: MonotonicInstant) -> [Action] {
        guard self.isUp else { return [.answer(id, .failure(.away))] }
        guard let sent = self.commands.add(id, request, until: now + self.times.answer) else {
            return [.answer(id, .failure(.busy))]
        }
        return sent.map { .send($0.bytes, .commands) }
    }

    mutating func subscribe(to channel: [UInt8], at now: MonotonicInstant) -> [Action] {
        self.subscriptions.want(channel)
        return self.sendBatch(at: now)
    }

    mutating func leave(_ channel: [UInt8], at now: MonotonicInstant) -> [Action] {
        self.subscriptions.leave(channel)
        return self.sendBatch(at: now)
    }

    private mutating func sendBatch(at now: MonotonicInstant) -> [Action] {
        guard self.isUp, let batch = self.subscriptions.next(until: now + self.times.answer) else { return [] }
        return [.send(batch.bytes, .subscriptions)]
    }

    // MARK: - Time

    mutating func timerFired(at now: MonotonicInstant) -> [Action] {
        guard self.due <= now else { return [] }
        switch self.stage {
        case .stopped: return []
        case .pausing: return self.connect(at: now)
        case .connecting: return self.failed("no link within \(self.times.connect.shown)", at: now)
        case .up: break
        }
        guard min(self.commands.deadline, self.subscriptions.deadline) > now else {
            return self.failed("no answer within \(self.times.answer.shown)", at: now)
        }
        switch self.probe {
        case .due:
            self.probe = .awaited(until: now + self.times.probe)
            let publish = RedisCommand([Array("PUBLISH".utf8), self.probeChannel, []])
            return self.ask(Self.ownID, .command(publish), at: now).filter {
                if case .send = $0 { true } else { false }
            }
        case .awaited: return self.failed("what is published does not arrive", at: now)
        }
    }

    // MARK: - What comes

    /// Takes the bytes that follow those of the last call.
    mutating func received(_ bytes: Span<UInt8>, on side: Side, at now: MonotonicInstant) -> [Action] {
        if side == .commands {
            self.commandSide.reader.append(bytes)
        } else {
            self.subscriptionSide.reader.append(bytes)
        }
        if side == .subscriptions { self.probe = .due(now + self.times.probe) }
        var actions: [Action] = []
        do throws(RedisViolation) {
            while let value = try self.next(on: side) {
                let (more, failure) = try self.take(value, on: side, at: now)
                actions += more
                if let failure { return actions + self.failed(failure, at: now) }
            }
        } catch {
            return actions + self.failed("it sent \(error)", at: now)
        }
        return actions
    }

    private mutating func next(on side: Side) throws(RedisViolation) -> RedisValue? {
        side == .commands ? try self.commandSide.reader.next() : try self.subscriptionSide.reader.next()
    }

    /// - Returns: what to do, and why the link fails then; `nil`: it does not.
    private mutating func take(
        _ value: RedisValue, on side: Side, at now: MonotonicInstant
    ) throws(RedisViolation) -> ([Action], failure: String?) {
        switch self[side].phase {
        case .absent: return ([], nil)
        case .greeting(var greeting):
            let progress = greeting.received(value)
            self[side].phase = .greeting(greeting)
            switch progress {
            case .next(let command): return ([.send(command.bytes, side)], nil)
            case .refused(let reason): return ([], reason)
            case .done:
                self[side].phase = .open
                return (self.opened(at: now), nil)
            }
        case .open:
            return side == .commands ? try self.takeAnswer(value) : try self.takeNews(value, at: now)
        }
    }

    private mutating func opened(at now: MonotonicInstant) -> [Action] {
        guard case .open = self.commandSide.phase, case .open = self.subscriptionSide.phase else { return [] }
        self.stage = .up(since: now)
        self.probe = .due(now + self.times.probe)
        return [.linkUp] + self.sendBatch(at: now)
    }

    private mutating func takeAnswer(_ value: RedisValue) throws(RedisViolation) -> ([Action], failure: String?) {
        // It was not asked for, and answers no command.
        if case .push = value { return ([], nil) }
        var actions: [Action] = []
        var failure: String?
        switch try self.commands.received(value) {
        case .answer(Self.ownID, let result, let reason):
            failure = reason
            if case .failure(let refusal) = result { failure = "\(refusal)" }
        case .answer(let id, let result, let reason):
            failure = reason
            actions.append(.answer(id, result))
        case .again: break
        }
        if failure == nil { actions += self.commands.goOn().map { .send($0.bytes, .commands) } }
        return (actions, failure)
    }

    private mutating func takeNews(
        _ value: RedisValue, at now: MonotonicInstant
    ) throws(RedisViolation) -> ([Action], failure: String?) {
        // It can only be the answer to a batch, of which nothing was done.
        if case .error(let bytes) = value { return ([], "it refuses a subscription: \(RedisRefusal(bytes))") }
        switch try self.subscriptions.received(value) {
        case .subscribed(self.probeChannel), .message(self.probeChannel, _), .nothing:
            return (self.sendBatch(at: now), nil)
        case .subscribed(let channel): return ([.subscribed(channel)] + self.sendBatch(at: now), nil)
        case .message(let channel, let payload): return ([.message(channel, payload: payload)], nil)
        }
    }
}
