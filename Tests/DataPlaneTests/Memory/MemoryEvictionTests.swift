import Configuration
import System
import Testing

@testable import DataPlane
@testable import Sessions

private let mib = 1 << 20

/// Numbered sessions, and what each holds.
private struct Sessions {
    private(set) var ids: [Int: SessionID] = [:]
    var report = MemoryReport()

    mutating func add(
        _ number: Int, at address: UInt32, holds bytes: Int, idle seconds: Double, patience: Duration = .seconds(5)
    ) {
        let id = SessionID.random()
        self.ids[number] = id
        self.report.holders.append(
            MemoryHolder(
                session: id, network: .init(IPAddress(ipv4: address), of: id), bytes: bytes, idle: .seconds(seconds),
                patience: patience))
    }

    mutating func wait(for bytes: Int, since seconds: Double = 0) {
        self.report.add(waiting: bytes, for: .seconds(seconds), patience: .seconds(5))
    }

    var total: Int { self.report.holders.reduce(0) { $0 + $1.bytes } }

    /// - Parameter total: `nil` for the sum of what they hold.
    func victims(limit: Int, total: Int? = nil) -> [Int] {
        let total = total ?? self.total
        let level = MemoryLevel.ample.next(total: total, limit: limit)
        let numbers = Dictionary(uniqueKeysWithValues: self.ids.map { ($0.value, $0.key) })
        return MemoryEviction(level: level, total: total, limit: limit).victims(among: self.report).compactMap {
            numbers[$0]
        }
    }
}

@Suite struct MemoryLevelTests {
    @Test func `the level rises at three quarters and at the bound, and falls a sixteenth below`() {
        func next(_ before: MemoryLevel, _ total: Int) -> MemoryLevel { before.next(total: total, limit: 1600) }
        #expect(next(.ample, 1199) == .ample)
        #expect(next(.ample, 1200) == .scarce)
        #expect(next(.ample, 1600) == .full)
        #expect(next(.scarce, 1100) == .scarce)
        #expect(next(.scarce, 1099) == .ample)
        #expect(next(.scarce, 1599) == .scarce)
        #expect(next(.scarce, 1600) == .full)
        #expect(next(.full, 1500) == .full)
        #expect(next(.full, 1499) == .scarce)
        #expect(next(.full, 1000) == .ample)
    }

    @Test func `the bound holds for all that is added, and a reload moves it`() {
        let bound = MemoryBound(limit: 1600)
        #expect(!bound.add(1000))
        #expect(bound.add(mailbox: 200))
        #expect(bound.level == .scarce && bound.total == 1200 && bound.inMailboxes == 200)
        bound.setLimit(3200)
        #expect(bound.level == .ample)
        bound.setLimit(1200)
        #expect(bound.level == .full)
        bound.add(mailbox: -200)
        bound.add(-1000)
        #expect(bound.level == .ample && bound.total == 0 && bound.inMailboxes == 0)
        #expect(bound.takePeak() == 1200)
        #expect(bound.takePeak() == 0)
    }
}

@Suite struct MemoryEvictionTests {
    // MARK: - Whether a session has to end

    @Test func `while there is room, no session ends`() {
        var sessions = Sessions()
        sessions.add(1, at: 1, holds: 40 * mib, idle: 100)
        sessions.wait(for: mib, since: 100)
        #expect(sessions.victims(limit: 64 * mib) == [])
    }

    @Test func `above three quarters no session ends while none waits`() {
        var sessions = Sessions()
        sessions.add(1, at: 1, holds: 50 * mib, idle: 100)
        #expect(sessions.victims(limit: 64 * mib) == [])
        sessions.wait(for: mib)
        #expect(sessions.victims(limit: 64 * mib) == [1])
    }

    @Test func `a session that made progress in time stays`() {
        var sessions = Sessions()
        sessions.add(1, at: 1, holds: 25 * mib, idle: 4.9)
        sessions.add(2, at: 1, holds: 25 * mib, idle: 6, patience: .seconds(10))
        sessions.wait(for: mib)
        #expect(sessions.victims(limit: 64 * mib) == [])
    }

    @Test func `as many sessions end as the waiting message needs`() {
        var sessions = Sessions()
        for number in 1...52 { sessions.add(number, at: 1, holds: mib, idle: 100 - Double(number)) }
        sessions.wait(for: 10)
        // Below 44 MiB there is room again.
        #expect(sessions.victims(limit: 64 * mib) == Array(1...9))
        sessions.wait(for: 12 * mib)
        #expect(sessions.victims(limit: 64 * mib) == Array(1...17))
        // Never more than the last quarter is freed for it.
        sessions.wait(for: .max)
        #expect(sessions.victims(limit: 64 * mib) == Array(1...20))
    }

    @Test func `at the bound no session gets more time`() {
        var sessions = Sessions()
        for number in 1...64 { sessions.add(number, at: 1, holds: mib, idle: 4 - Double(number) / 100) }
        #expect(sessions.victims(limit: 64 * mib) == Array(1...5))
    }

    @Test func `a message does not wait forever`() {
        var sessions = Sessions()
        sessions.add(1, at: 1, holds: 50 * mib, idle: 1.2)
        func victims(since seconds: Double) -> [Int] {
            var waiting = sessions
            waiting.wait(for: mib, since: seconds)
            return waiting.victims(limit: 64 * mib)
        }
        #expect(victims(since: 5) == [])
        #expect(victims(since: 10) == [])
        #expect(victims(since: 39) == [])
        #expect(victims(since: 81) == [1])
        sessions = Sessions()
        sessions.add(1, at: 1, holds: 50 * mib, idle: 0)
        #expect(victims(since: 1e6) == [])
    }

    // MARK: - Which session ends

    @Test func `sessions of the address that holds most end first`() {
        var sessions = Sessions()
        sessions.add(1, at: 1, holds: 20 * mib, idle: 1000)
        for number in 2...31 { sessions.add(number, at: 2, holds: mib, idle: 10 + Double(number)) }
        sessions.wait(for: mib)
        // Until the other address holds more.
        #expect(sessions.victims(limit: 64 * mib, total: 52 * mib) == Array((23...31).reversed()))
        #expect(sessions.victims(limit: 64 * mib, total: 60 * mib) == Array((22...31).reversed()) + [1])
    }

    @Test func `an IPv6 address counts as its /64 network`() throws {
        var report = MemoryReport()
        let ids = (0..<3).map { _ in SessionID.random() }
        let addresses = try ["2001:db8::1", "2001:db8::2:2", "2001:db8:0:1::1"].map { try #require(IPAddress($0)) }
        for (index, bytes) in [20, 20, 30].enumerated() {
            report.holders.append(
                MemoryHolder(
                    session: ids[index], network: .init(addresses[index], of: ids[index]), bytes: bytes * mib,
                    idle: .seconds(10 + index), patience: .seconds(5)))
        }
        let eviction = MemoryEviction(level: .full, total: 70 * mib, limit: 70 * mib)
        #expect(eviction.victims(among: report) == [ids[1]])
    }

    @Test func `each client on a Unix socket counts alone`() {
        let ids = (0..<2).map { _ in SessionID.random() }
        #expect(ClientNetwork(nil, of: ids[0]) != ClientNetwork(nil, of: ids[1]))
    }

    // MARK: - Which session must stay

    @Test(arguments: [true, false])
    func `the one honest sender stays beside 3000 attackers`(theyShareAnAddress: Bool) {
        var sessions = Sessions()
        sessions.add(0, at: 1, holds: 15 * mib, idle: 0.02)
        for number in 1...3000 {
            let address = theyShareAnAddress ? 2 : UInt32(number + 1)
            sessions.add(number, at: address, holds: 900 << 10, idle: 0.03 + Double(number) / 1000)
        }
        let victims = sessions.victims(limit: 256 * mib)
        #expect(!victims.contains(0))
        let held = sessions.total - victims.count * (900 << 10)
        #expect(held < 240 * mib && held >= 239 * mib)
    }

    @Test func `an honest sender stays beside attackers on its own address`() {
        var sessions = Sessions()
        for number in 1...300 { sessions.add(number, at: 1, holds: 900 << 10, idle: 0.5) }
        sessions.add(0, at: 1, holds: 15 * mib, idle: 0.02)
        #expect(!sessions.victims(limit: 64 * mib).contains(0))
    }

    @Test func `an address with many uploads goes after those that have stalled`() {
        var sessions = Sessions()
        // An office behind one address.
        for number in 1...3 { sessions.add(number, at: 1, holds: 10 * mib, idle: 0.1) }
        for number in 4...43 { sessions.add(number, at: UInt32(number), holds: mib, idle: 6) }
        #expect(sessions.victims(limit: 64 * mib).allSatisfy { $0 > 3 })
    }

    @Test func `the largest session that sends does not count for its address`() {
        var sessions = Sessions()
        sessions.add(1, at: 1, holds: 16 * mib, idle: 0.1)
        // These also send, but hold more together.
        for number in 2...51 { sessions.add(number, at: 2, holds: mib, idle: 0.05) }
        let victims = sessions.victims(limit: 64 * mib)
        #expect(!victims.isEmpty && !victims.contains(1))
    }

    @Test func `messages already begun count with the bytes that they still need`() {
        var report = MemoryReport()
        let ids = (0..<2).map { _ in SessionID.random() }
        for (index, id) in ids.enumerated() {
            report.holders.append(
                MemoryHolder(
                    session: id, network: .init(IPAddress(ipv4: UInt32(index)), of: id), bytes: 1000,
                    promised: 25 * mib,
                    idle: .seconds(index == 0 ? 6 : 0), patience: .seconds(5)))
        }
        let eviction = MemoryEviction(level: .ample, total: 2000, promised: 50 * mib, limit: 64 * mib)
        #expect(eviction.victims(among: report) == [])
        report.add(waiting: mib, for: .zero, patience: .seconds(5))
        #expect(eviction.victims(among: report) == [ids[0]])
    }

    @Test func `a session that has hardly begun frees nothing`() {
        var report = MemoryReport()
        let ids = (0..<2).map { _ in SessionID.random() }
        for (index, id) in ids.enumerated() {
            report.holders.append(
                MemoryHolder(
                    session: id, network: .init(IPAddress(ipv4: UInt32(index)), of: id),
                    bytes: index == 0 ? 4096 : 64 * mib,
                    isWaiting: index == 0, idle: .zero, patience: .seconds(5)))
        }
        let eviction = MemoryEviction(level: .full, total: 64 * mib, limit: 64 * mib)
        #expect(eviction.victims(among: report) == [ids[1]])
    }

    @Test func `of sessions that wait for us, the one that has sent most goes last`() {
        var sessions = Sessions()
        for number in 1...3000 { sessions.add(number, at: UInt32(number), holds: 16 << 10, idle: 0) }
        sessions.add(0, at: 5000, holds: 14 * mib, idle: 0)
        let victims = sessions.victims(limit: 60 * mib)
        #expect(!victims.isEmpty && !victims.contains(0))
    }

    @Test func `many sessions are ranked quickly`() {
        var sessions = Sessions()
        for number in 1...50_000 {
            sessions.add(number, at: UInt32(number / 3), holds: 4096, idle: Double(number % 97))
        }
        sessions.wait(for: mib)
        #expect(sessions.victims(limit: 64 * mib).count > 30_000)
    }
}
