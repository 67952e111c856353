import System
import Testing

@testable import DataPlane

@Suite struct RevokedSubjectsTests {
    private static func at(_ seconds: Double) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: Int64(seconds * 1e9))
    }

    @Test func `a subject is kept out until its time is over, and no other is`() {
        var revoked = RevokedSubjects()
        #expect(!revoked.has("alice", now: Self.at(0)))
        let added = revoked.add("alice", for: .seconds(60), now: Self.at(0))
        #expect(added)
        #expect(revoked.has("alice", now: Self.at(59.9)))
        #expect(!revoked.has("alice", now: Self.at(60)))
        #expect(!revoked.has("Alice", now: Self.at(1)))
    }

    @Test func `names that look the same are two subjects`() {
        var revoked = RevokedSubjects()
        _ = revoked.add("caf\u{E9}", for: .seconds(60), now: Self.at(0))
        #expect(!revoked.has("cafe\u{301}", now: Self.at(0)))
    }

    @Test func `a shorter time takes nothing back`() {
        var revoked = RevokedSubjects()
        _ = revoked.add("a", for: .seconds(60), now: Self.at(0))
        _ = revoked.add("a", for: .seconds(10), now: Self.at(1))
        #expect(revoked.has("a", now: Self.at(59)))
        _ = revoked.add("a", for: .seconds(60), now: Self.at(30))
        #expect(revoked.has("a", now: Self.at(89)))
    }

    @Test func `what is left is told in whole seconds, and what is over is not`() {
        var revoked = RevokedSubjects()
        _ = revoked.add("a", for: .seconds(60), now: Self.at(0))
        _ = revoked.add("b", for: .seconds(5), now: Self.at(0))
        let left = revoked.left(now: Self.at(5.5))
        #expect(left.map(\.subject) == ["a"])
        #expect(left.map(\.seconds) == [55])
    }

    @Test func `there is room for so many, and those that are over make room`() {
        var revoked = RevokedSubjects()
        for number in 0..<RevokedSubjects.most {
            _ = revoked.add("\(number)", for: .seconds(number == 0 ? 1 : 60), now: Self.at(0))
        }
        let early = revoked.add("another", for: .seconds(60), now: Self.at(0.5))
        let known = revoked.add("1", for: .seconds(90), now: Self.at(0.5))
        let late = revoked.add("another", for: .seconds(60), now: Self.at(1))
        #expect(!early && known && late)
        #expect(revoked.has("another", now: Self.at(2)))
    }
}
