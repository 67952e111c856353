import Admission
import Configuration
import System
import TestSupport
import Testing
import WebSocketProtocol

@testable import Admission
@testable import DataPlane

/// What rooms remember: a value, compared with a simple model by random calls, and its rules one by one.
@Suite struct RoomHistoriesTests {
    private static func name(_ number: Int) -> RoomName { RoomName(encoded: "room\(number)")! }

    private static func rules(
        messages: Int = 100, for lifetime: Duration = .seconds(3600), memory: Int = 1 << 40
    ) -> BackendSettings.History {
        var rules = BackendSettings.History()
        rules.messages = messages
        rules.lifetime = lifetime
        rules.memory = .bytes(memory)
        return rules
    }

    private static func entry(_ number: Int, size: Int = 8) -> RoomHistories.Entry {
        var payload = [UInt8](repeating: 0x61, count: size)
        for (index, byte) in String(number).utf8.enumerated() where index < size { payload[index] = byte }
        return RoomHistories.Entry(message: Message(opcode: .text, payload: payload), at: .seconds(number))
    }

    /// Epochs that can be told apart.
    private static func histories() -> RoomHistories {
        var count = 0
        return RoomHistories {
            count += 1
            return "e\(count)"
        }
    }

    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    // MARK: - Random calls

    /// One room as it should be: all of its messages, and how many of the last ones are kept.
    private struct Model {
        var epoch: String
        var messages: [RoomHistories.Entry] = []
        var used: MonotonicInstant
        var isOccupied = false
        /// Up to this offset, messages are too old.
        var gone = 0
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func `random calls do what a list of all messages says`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var histories = Self.histories()
        let rules = Self.rules(messages: 5, for: .seconds(60))
        var models: [Int: Model] = [:]
        var now = Self.start
        var number = 0
        func expire(_ room: Int) {
            guard var model = models[room] else { return }
            if model.used + .seconds(60) <= now { model.gone = model.messages.count }
            models[room] = !model.isOccupied && model.used + RoomHistories.knownFor <= now ? nil : model
        }
        for _ in 0..<3000 {
            let room = Int.random(in: 0..<4, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0...3:
                let count = Int.random(in: 1...4, using: &random)
                let entries = (0..<count).map { Self.entry(number + $0) }
                number += count
                expire(room)
                let position = histories.append(
                    entries, to: Self.name(room), isOccupied: models[room]?.isOccupied ?? false, rules, now: now)
                var model = models[room] ?? Model(epoch: position.epoch, used: now)
                #expect(position == .init(epoch: model.epoch, offset: model.messages.count + 1))
                model.messages += entries
                model.used = now
                models[room] = model
            case 4...6:
                expire(room)
                let known = models[room]
                let start: RoomRequest.Start =
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: .now
                    case 1: .last(Int.random(in: 0..<8, using: &random))
                    case 2: .since(epoch: "other", offset: 0)
                    default:
                        .since(
                            epoch: known?.epoch ?? "e0",
                            offset: Int.random(in: 0...((known?.messages.count ?? 0) + 2), using: &random))
                    }
                let recovery = histories.recover(start, in: Self.name(room), rules, now: now)
                var model = known ?? Model(epoch: recovery.position?.epoch ?? "", used: now)
                model.isOccupied = true
                models[room] = model
                #expect(recovery.position == .init(epoch: model.epoch, offset: model.messages.count))
                let kept = model.messages.dropFirst(max(model.gone, model.messages.count - 5))
                switch start {
                case .now: #expect(recovery.isWhole && recovery.missed.isEmpty)
                case .last(let count): #expect(recovery.isWhole && recovery.missed == Array(kept.suffix(count)))
                case .since(let epoch, let offset):
                    let missed = model.messages.dropFirst(offset)
                    let isWhole =
                        epoch == model.epoch && offset <= model.messages.count && missed.count <= kept.count
                    #expect(recovery.isWhole == isWhole)
                    #expect(recovery.missed == (isWhole ? Array(missed) : []))
                }
            case 7:
                histories.vacated(Self.name(room))
                models[room]?.isOccupied = false
            case 8:
                histories.forget(Self.name(room), now: now)
                // An occupied room has a new epoch, which is seen with the next call.
                if models.removeValue(forKey: room)?.isOccupied == true {
                    let recovery = histories.recover(.now, in: Self.name(room), rules, now: now)
                    models[room] = Model(epoch: recovery.position?.epoch ?? "", used: now, isOccupied: true)
                }
            default:
                let pauses: [Duration] = [.seconds(1), .seconds(30), .seconds(61), RoomHistories.knownFor]
                now = now + pauses[Int.random(in: 0..<pauses.count, using: &random)]
            }
        }
        for room in 0..<4 { histories.forget(Self.name(room), now: now) }
        for room in 0..<4 { histories.vacated(Self.name(room)) }
        now = now + RoomHistories.knownFor
        for room in 0..<4 {
            #expect(histories.contents(of: Self.name(room), rules, now: now)?.entries.isEmpty != false)
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `whatever is called, the bound on memory holds, and what is left are the last messages`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var histories = Self.histories()
        let most = 64 << 10
        let rules = Self.rules(messages: 50, memory: most)
        var all: [RoomName: [RoomHistories.Entry]] = [:]
        var now = Self.start
        for number in 0..<3000 {
            let room = Self.name(Int.random(in: 0..<20, using: &random))
            let entry = Self.entry(number, size: Int.random(in: 0..<6000, using: &random))
            let position = histories.append([entry], to: room, isOccupied: false, rules, now: now)
            // A room that was forgotten for want of memory begins anew.
            if position.offset == 1 { all[room] = [] }
            all[room, default: []].append(entry)
            if number % 5 == 0 {
                histories.keep(Published(receivers: number), for: "key\(number)", in: room, rules, now: now)
            }
            #expect(histories.bytes <= most)
            let kept = histories.contents(of: room, rules, now: now)?.entries ?? []
            #expect(kept == Array((all[room] ?? []).suffix(kept.count)))
            now = now + .milliseconds(10)
        }
        for name in histories.names { histories.forget(name, now: now) }
        now = now + RoomHistories.keysFor
        _ = histories.append([], to: Self.name(0), isOccupied: false, rules, now: now)
        histories.forget(Self.name(0), now: now)
        #expect(histories.bytes == 0)
    }

    // MARK: - Rules

    @Test func `the large room gives way, and the small one keeps all`() {
        var histories = Self.histories()
        let rules = Self.rules(memory: 100 << 10)
        let (small, large) = (Self.name(1), Self.name(2))
        _ = histories.append(
            (0..<10).map { Self.entry($0) }, to: small, isOccupied: false, rules, now: Self.start)
        for number in 0..<1000 {
            _ = histories.append(
                [Self.entry(number, size: 4000)], to: large, isOccupied: false, rules, now: Self.start)
        }
        #expect(histories.contents(of: small, rules, now: Self.start)?.entries.count == 10)
        let kept = histories.contents(of: large, rules, now: Self.start)?.entries
        #expect((20..<26).contains(kept?.count ?? 0))
        #expect(kept?.last == Self.entry(999, size: 4000))
    }

    @Test func `rooms that clients only joined cost no message`() {
        var histories = Self.histories()
        let rules = Self.rules(memory: 64 << 10)
        let room = Self.name(-1)
        _ = histories.append((0..<10).map { Self.entry($0) }, to: room, isOccupied: false, rules, now: Self.start)
        for number in 0..<10_000 {
            _ = histories.recover(.now, in: Self.name(number), rules, now: Self.start)
            histories.vacated(Self.name(number))
            #expect(histories.bytes <= 64 << 10)
        }
        #expect(histories.contents(of: room, rules, now: Self.start)?.entries.count == 10)
    }

    @Test func `a message larger than all memory has its offset, and is not kept`() {
        var histories = Self.histories()
        let rules = Self.rules(memory: 64 << 10)
        let room = Self.name(1)
        _ = histories.recover(.now, in: room, rules, now: Self.start)
        let large = Self.entry(1, size: 100 << 10)
        let position = histories.append([large], to: room, isOccupied: true, rules, now: Self.start)
        #expect(position == .init(epoch: "e1", offset: 1))
        #expect(histories.append([Self.entry(2)], to: room, isOccupied: true, rules, now: Self.start).offset == 2)
        #expect(!histories.recover(.since(epoch: "e1", offset: 0), in: room, rules, now: Self.start).isWhole)
        #expect(histories.recover(.since(epoch: "e1", offset: 1), in: room, rules, now: Self.start).missed.count == 1)
    }

    @Test func `a key stands for its message for five minutes, in its room`() {
        var histories = Self.histories()
        let rules = Self.rules()
        let (room, other) = (Self.name(1), Self.name(2))
        let answer = Published(position: .init(epoch: "e", offset: 7), receivers: 3)
        histories.keep(answer, for: "key", in: room, rules, now: Self.start)
        let end = Self.start + RoomHistories.keysFor
        #expect(
            histories.answer(to: "key", in: room, now: Self.start + (RoomHistories.keysFor - .milliseconds(1)))
                == answer)
        #expect(histories.answer(to: "key", in: other, now: Self.start) == nil)
        #expect(histories.answer(to: "other", in: room, now: Self.start) == nil)
        #expect(histories.answer(to: "key", in: room, now: end) == nil)
    }

    @Test func `old keys and old messages go when others come`() {
        var histories = Self.histories()
        let rules = Self.rules(for: .seconds(60))
        for number in 0..<100 {
            _ = histories.append(
                [Self.entry(number)], to: Self.name(number), isOccupied: false, rules, now: Self.start)
            histories.keep(Published(receivers: 0), for: "\(number)", in: Self.name(number), rules, now: Self.start)
        }
        let before = histories.bytes
        let later = Self.start + RoomHistories.knownFor
        for _ in 0..<100 { _ = histories.append([], to: Self.name(0), isOccupied: false, rules, now: later) }
        #expect(histories.names.count == 1)
        #expect(histories.bytes < before / 50)
    }
}
