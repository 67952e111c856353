internal import DequeModule
internal import System

/// The commands of a connection that wait for their answers, which come in the same order.
///
/// A script is sent as text for the first time, and then by its digest. A server that has forgotten it meanwhile gets it again: what was sent
/// behind it may have failed, too, so newer commands wait until all answers are here, and the order stays.
struct CommandQueue {
    private struct Waiting {
        let id: Int
        let request: RedisRequest
        let deadline: MonotonicInstant
        /// It was sent by its digest.
        var isByDigest = false
    }

    enum Received {
        /// - Parameter id: the command's.
        case answer(Int, Result<RedisValue, RedisFailure>, endsLink: String?)
        /// The server does not know the script.
        case again
    }

    /// The most commands that wait, and the most bytes in them.
    static let most = 1 << 16
    static let mostBytes = 64 << 20

    private var sent: Deque<Waiting> = []
    /// Commands of scripts that the server has forgotten.
    private var forgotten: Deque<Waiting> = []
    /// Newer ones that wait for them.
    private var held: Deque<Waiting> = []
    private var known: Set<Script> = []
    private var bytes = 0

    /// When the first of them has waited for too long.
    var deadline: MonotonicInstant {
        [self.forgotten.first, self.sent.first, self.held.first].lazy.compactMap { $0?.deadline }.min() ?? .never
    }

    /// Takes a command.
    ///
    /// - Returns: what to send now, which may be nothing; `nil`: too many commands wait.
    mutating func add(_ id: Int, _ request: RedisRequest, until deadline: MonotonicInstant) -> [RedisCommand]? {
        let count = self.sent.count + self.forgotten.count + self.held.count
        guard count < Self.most, self.bytes < Self.mostBytes else { return nil }
        self.bytes += request.size
        let waiting = Waiting(id: id, request: request, deadline: deadline)
        guard self.forgotten.isEmpty else {
            self.held.append(waiting)
            return []
        }
        return [self.send(waiting)]
    }

    private mutating func send(_ waiting: Waiting) -> RedisCommand {
        var waiting = waiting
        if case .script(let script, _, _) = waiting.request { waiting.isByDigest = !self.known.insert(script).inserted }
        self.sent.append(waiting)
        return waiting.request.command(scriptIsKnown: waiting.isByDigest)
    }

    /// Takes the next answer.
    mutating func received(_ reply: RedisValue) throws(RedisViolation) -> Received {
        guard let waiting = self.sent.popFirst() else { throw RedisViolation("an answer without a command") }
        guard case .error(let bytes) = reply else {
            self.bytes -= waiting.request.size
            return .answer(waiting.id, .success(reply), endsLink: nil)
        }
        let refusal = RedisRefusal(bytes)
        if refusal.code == "NOSCRIPT", waiting.isByDigest, case .script(let script, _, _) = waiting.request {
            self.known.remove(script)
            self.forgotten.append(waiting)
            return .again
        }
        self.bytes -= waiting.request.size
        let failure = RedisFailure.refused("\(refusal)")
        return .answer(waiting.id, .failure(failure), endsLink: refusal.endsLink ? "\(refusal)" : nil)
    }

    /// What to send once more, and what waited for that: when all answers to what was sent before are here.
    mutating func goOn() -> [RedisCommand] {
        guard self.sent.isEmpty, !self.forgotten.isEmpty else { return [] }
        let waiting = self.forgotten + self.held
        self.forgotten = []
        self.held = []
        return waiting.map { self.send($0) }
    }

    /// The connection has ended.
    ///
    /// - Returns: the commands without an answer.
    mutating func end() -> [Int] {
        defer { self = CommandQueue() }
        return (self.forgotten + self.sent + self.held).map(\.id)
    }
}
