import Configuration
import Connections
import System
import Testing

@testable import DataPlane
@testable import Observability

@Suite struct MemoryAccountTests {
    private final class Waiter: MemoryWaiter {
        let hasBegun: Bool
        let network: ClientNetwork
        let wanted = 1000
        let patience = Duration.seconds(5)
        var uses: Int
        var wentOn = 0
        let account: MemoryAccount

        init(_ account: MemoryAccount, hasBegun: Bool, at address: UInt32 = 1, uses: Int = 0) {
            self.network = .address(IPAddress(ipv4: address).subscriber)
            self.account = account
            self.hasBegun = hasBegun
            self.uses = uses
        }

        func goOn() {
            self.wentOn += 1
            self.account.change(.assembled, by: self.uses)
        }
    }

    private static let limit = 16 << 20

    /// Kept until the test ends: timers and accounts refer to their loop without owning it.
    private let bound = MemoryBound(limit: Self.limit)
    private let loop: EventLoop

    init() throws { self.loop = try EventLoop() }

    @Test func `changes reach the bound in steps`() throws {
        let account = MemoryAccount(self.bound, self.loop) {}
        account.change(.queued, by: 1000)
        #expect(account.queued == 1000 && self.bound.total == 0)
        account.change(.assembled, by: 20_000)
        #expect(account.assembled == 20_000 && self.bound.total == 21_000)
        account.change(.assembled, by: -20_000)
        account.change(.queued, by: -999)
        #expect(self.bound.total == 1000)
        account.change(.queued, by: -1)
        #expect(self.bound.total == 0)
    }

    @Test func `the control thread is told when the level rises`() throws {
        var calls = 0
        let account = MemoryAccount(self.bound, self.loop) { calls += 1 }
        account.change(.queued, by: Self.limit / 16 * 11)
        #expect(calls == 0)
        account.change(.queued, by: Self.limit / 16)
        #expect(calls == 1)
        account.change(.queued, by: Self.limit / 16)
        #expect(calls == 1)
        account.change(.queued, by: Self.limit / 4)
        #expect(calls == 2)
        account.change(.queued, by: -Self.limit / 16 * 17)
        #expect(calls == 2)
    }

    @Test func `reads are smaller while memory is scarce`() throws {
        let account = MemoryAccount(self.bound, self.loop) {}
        #expect(account.readSize == ConnectionBuffers.readSize)
        self.bound.add(Self.limit / 16 * 12)
        #expect(account.readSize == 4 << 10)
    }

    @Test func `waiting messages continue in order as far as there is room`() throws {
        let account = MemoryAccount(self.bound, self.loop) {}
        self.bound.add(Self.limit)
        let first = Waiter(account, hasBegun: false)
        let begun = Waiter(account, hasBegun: true)
        let second = Waiter(account, hasBegun: false, uses: Self.limit)
        let third = Waiter(account, hasBegun: false)
        let gone = Waiter(account, hasBegun: true)
        for waiter in [first, begun, second, third, gone] { account.wait(waiter) }
        account.stopWaiting(gone)
        #expect(account.report.wanted == 3000)
        account.timerFired()
        #expect([first, begun, second, third].map(\.wentOn) == [0, 0, 0, 0])

        self.bound.add(-Self.limit / 8)
        account.timerFired()
        #expect([first, begun, second, third].map(\.wentOn) == [0, 1, 0, 0])

        self.bound.add(-Self.limit / 2)
        account.timerFired()
        #expect([first, begun, second, third].map(\.wentOn) == [1, 1, 1, 0])
        #expect(account.report.wanted == 1000)

        account.change(.assembled, by: -Self.limit)
        self.loop.turn(waitingAtMost: .seconds(20))
        #expect(third.wentOn == 1 && gone.wentOn == 0)
        #expect(account.report.wanted == 0)
    }

    @Test func `addresses take turns`() throws {
        let account = MemoryAccount(self.bound, self.loop) {}
        self.bound.add(Self.limit / 16 * 12)
        let many = (0..<10).map { _ in Waiter(account, hasBegun: false, at: 1, uses: Self.limit / 16) }
        let one = Waiter(account, hasBegun: false, at: 2, uses: Self.limit / 16)
        for waiter in many + [one] { account.wait(waiter) }
        // There is room for two.
        self.bound.add(-Self.limit / 16 * 2)
        account.timerFired()
        #expect(many.map(\.wentOn).reduce(0, +) == 1)
        #expect(many[0].wentOn == 1 && one.wentOn == 1)
    }

    @Test func `promised bytes take room`() {
        let account = MemoryAccount(self.bound, self.loop) {}
        #expect(self.bound.hasRoom)
        self.bound.promise(Self.limit / 16 * 12)
        #expect(!self.bound.hasRoom && !self.bound.isScarce)
        let waiter = Waiter(account, hasBegun: false)
        account.wait(waiter)
        #expect(self.bound.isAwaited)
        account.timerFired()
        #expect(waiter.wentOn == 0)
        self.bound.promise(-1)
        account.timerFired()
        #expect(waiter.wentOn == 1 && !self.bound.isAwaited)
    }
}
