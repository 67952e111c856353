import Configuration
import Fuzzing
import System

@testable import Redis

/// What a server says is read in the same way whole or in pieces, and the link to it stands all of it: each command gets one answer, and what
/// fails ends the link.
@main
enum FuzzRedis {
    static func main() {
        fuzz { bytes in
            var choices = Choices(bytes)
            let sizes = choices.bytes(2)
            let isLink = choices.byte() % 2 == 1
            let script = choices.bytes(isLink ? 8 : 0)
            let input = choices.rest()
            if isLink { self.talk(input, sizes, script) } else { self.checkPieces(input, sizes) }
        }
    }

    private static let limits: RedisLimits = {
        var limits = RedisLimits(string: 1000, reply: 2000)
        limits.values = 100
        return limits
    }()

    private static func checkPieces(_ input: [UInt8], _ sizes: [UInt8]) {
        let whole = self.read([input[...]])
        let pieces = self.read(Choices.pieces(of: input, sizes: sizes))
        expect(whole.values == pieces.values, "values depend on the pieces")
        expect(whole.violation == pieces.violation, "a violation depends on the pieces")
        for value in whole.values {
            _ = RoomPublished(value)
            _ = RoomRecovery(value)
            if case .bytes(let bytes) = value { _ = RoomMessage(bytes) }
        }
    }

    private static func read(
        _ pieces: [ArraySlice<UInt8>]
    ) -> (values: [RedisValue], violation: RedisViolation?) {
        var reader = RedisReader(self.limits)
        var values: [RedisValue] = []
        do throws(RedisViolation) {
            for piece in pieces {
                reader.append(piece.span)
                while let value = try reader.next() { values.append(value) }
            }
        } catch {
            return (values, error)
        }
        return (values, nil)
    }

    /// Both sides get the pieces in turn; `script` says which of them, and what is asked for meanwhile.
    private static func talk(_ input: [UInt8], _ sizes: [UInt8], _ script: [UInt8]) {
        guard let server = try? GatewayConfiguration.fuzzedCluster else { fatalError("no configuration") }
        var machine = LinkMachine(server, self.limits, LinkTimes(), name: "a")
        var now = MonotonicInstant(nanoseconds: 0)
        var asked: Set<Int> = []
        func perform(_ actions: [LinkMachine.Action]) {
            for action in actions {
                switch action {
                case .connect:
                    for side in LinkMachine.Side.allCases { _ = machine.connected(side) }
                case .answer(let id, _): expect(asked.remove(id) != nil, "a command has two answers")
                case .send, .disconnect, .linkUp, .linkDown, .subscribed, .message: break
                }
            }
        }
        perform(machine.start(at: now))
        for (index, piece) in Choices.pieces(of: input, sizes: sizes).enumerated() {
            let choice = script.isEmpty ? 0 : script[index % script.count]
            let side: LinkMachine.Side = choice % 2 == 0 ? .commands : .subscriptions
            perform(machine.received(piece.span, on: side, at: now))
            if choice & 2 != 0 {
                asked.insert(index)
                perform(machine.ask(index, .script(.recover, keys: [[1]], arguments: [piece.map { $0 }]), at: now))
            }
            if choice & 4 != 0 { perform(machine.subscribe(to: [choice & 24], at: now)) }
            if choice & 32 != 0 { perform(machine.leave([choice & 24], at: now)) }
            if choice & 64 != 0 {
                now = max(now, min(machine.due, now + .seconds(60)))
                perform(machine.timerFired(at: now))
            }
        }
        perform(machine.stop())
        expect(asked.isEmpty, "a command has no answer")
    }
}

extension GatewayConfiguration {
    fileprivate static var fuzzedCluster: ClusterSettings? {
        get throws {
            try ConfigurationReader.read(
                text: """
                    listeners: [{address: ":0"}]
                    cluster: {redis: "redis://127.0.0.1/1", user: a, password: b}
                    """, file: "gateway.conf", environment: [:]
            ).cluster
        }
    }
}
