internal import HTTP1
internal import System

/// Rooms at the server. What a user of Redis may do for all of this, and no more (`gateway` is the prefix):
///
///     ACL SETUSER gateway on >PASSWORD resetkeys ~gateway:* resetchannels &gateway:* -@all
///       +select +subscribe +unsubscribe +publish +eval +evalsha +time
///       +del +pexpire +hset +hmget +xadd +xrange
extension RedisLink {
    /// How long a room's epoch and last offset are kept after the last publication or question.
    private static let positionTime = Duration.seconds(7 * 86400)
    /// How long the answer to an `Idempotency-Key` is.
    private static let answerTime = Duration.seconds(300)
    /// After so many bytes an answer gets no further message.
    private static let mostBytes = 4 << 20

    /// Publishes a message in a room, in one step with taking its offset and appending it to the history. All members get the messages of a
    /// room in the same order.
    ///
    /// - Parameters:
    ///   - bounds: of the history; `nil`: there is none.
    ///   - then: gets what came of it, perhaps before this returns. `unknown` may be published or not: only with an idempotency key can it be
    ///     published again.
    public func publish(
        _ publication: RoomPublication, in room: RoomKeys, _ bounds: RoomHistoryBounds?,
        then: @escaping (Result<RoomPublished, RedisFailure>) -> Void
    ) {
        guard bounds != nil || publication.idempotencyKey != nil else {
            return self.publishOnly(publication, in: room, then: then)
        }
        var keys = [room.position, room.history]
        if let key = publication.idempotencyKey { keys.append(room.answer(to: key)) }
        let arguments = [
            room.channel, publication.payload, Array(Self.kind(of: publication).utf8),
            Array(Self.word(publication.excluded).utf8), Self.digits(publication.receivers), Self.newEpoch(),
            Self.digits(bounds?.messages ?? 0), Self.digits(bounds?.duration ?? .zero),
            Self.digits(Self.positionTime(bounds)), Self.digits(Self.answerTime),
        ]
        self.ask(.script(.publish, keys: keys, arguments: arguments)) { [unowned self] result in
            self.pass(result, RoomPublished.init, to: then)
        }
    }

    /// There is nothing to remember.
    private func publishOnly(
        _ publication: RoomPublication, in room: RoomKeys,
        then: @escaping (Result<RoomPublished, RedisFailure>) -> Void
    ) {
        let time = Self.digits(WallClock.sinceEpoch())
        let line =
            Array("1 - - ".utf8) + time + Array(" \(Self.kind(of: publication)) ".utf8)
            + Array("\(Self.word(publication.excluded))\n".utf8)
        let command = RedisCommand([Array("PUBLISH".utf8), room.channel, line + publication.payload])
        self.ask(.command(command)) { [unowned self] result in
            self.pass(
                result,
                { $0.integer.map { _ in RoomPublished(isNew: true, position: nil, receivers: publication.receivers) } },
                to: then)
        }
    }

    /// Reads a room's history. It keeps the room's position for a week again, so a room with members that is quiet for longer has to be asked
    /// for now and then.
    ///
    /// After another server took this one's place, the offset may be less than that of messages that were received: those are lost, and
    /// their offsets come again.
    ///
    /// - Parameter then: gets what came of it, perhaps before this returns.
    public func recover(
        _ query: RoomQuery, of room: RoomKeys, _ bounds: RoomHistoryBounds,
        then: @escaping (Result<RoomRecovery, RedisFailure>) -> Void
    ) {
        let (kind, epoch, number) =
            switch query {
            case .position: ("none", "", Int64(0))
            case .since(let position): ("since", position.epoch, position.offset)
            case .last(let count): ("last", "", Int64(count))
            }
        let arguments = [
            Self.newEpoch(), Self.digits(Self.positionTime(bounds)), Array(kind.utf8), Array(epoch.utf8),
            Array("\(number)".utf8), Self.digits(Self.mostBytes),
        ]
        self.ask(.script(.recover, keys: [room.position, room.history], arguments: arguments)) {
            [unowned self] result in
            self.pass(result, RoomRecovery.init, to: then)
        }
    }

    /// Forgets a room's history. Its next message has the offset 1 in another epoch.
    ///
    /// - Parameter then: gets whether there was any, perhaps before this returns.
    public func forget(_ room: RoomKeys, then: @escaping (Result<Bool, RedisFailure>) -> Void) {
        self.ask(.command(RedisCommand([Array("DEL".utf8), room.position, room.history]))) { [unowned self] result in
            self.pass(result, { $0.integer.map { $0 > 0 } }, to: then)
        }
    }

    private func pass<Value>(
        _ result: Result<RedisValue, RedisFailure>, _ read: (RedisValue) -> Value?,
        to then: (Result<Value, RedisFailure>) -> Void
    ) {
        switch result {
        case .failure(let failure): then(.failure(failure))
        case .success(let reply):
            if let value = read(reply) { return then(.success(value)) }
            let reason = "it sent an answer of another form"
            then(.failure(.unknown(reason)))
            self.failed(reason)
        }
    }

    private static func kind(of publication: RoomPublication) -> String {
        (publication.isText ? "t" : "b") + (publication.origin.map { "." + $0 } ?? "")
    }

    /// A session as a word of a message's line. What no session is called excludes none.
    private static func word(_ session: String?) -> String {
        guard let session, (1...64).contains(session.utf8.count), session.percentEncoded == session else { return "-" }
        return session
    }

    private static func newEpoch() -> [UInt8] {
        var random = SystemRandomness()
        return Array(String(random.next(), radix: 36).utf8)
    }

    /// As long as the messages at least.
    private static func positionTime(_ bounds: RoomHistoryBounds?) -> Duration {
        max(self.positionTime, bounds?.duration ?? .zero)
    }

    private static func digits(_ number: Int) -> [UInt8] { Array("\(number)".utf8) }
    /// In milliseconds.
    private static func digits(_ duration: Duration) -> [UInt8] {
        self.digits(Int(duration.clampedNanoseconds / 1_000_000))
    }
}
