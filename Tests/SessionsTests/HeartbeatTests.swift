import Configuration
import System
import Testing

@testable import Sessions

/// One leg's heartbeat with its own clock: 10 seconds of silence, 4 for an answer. Times are in milliseconds.
@Suite struct HeartbeatTests {
    private static let settings = {
        var settings = HeartbeatSettings()
        settings.interval = .seconds(10)
        settings.timeout = .seconds(4)
        return settings
    }()

    enum Step: Equatable, Sendable {
        case heard, resumed, flushed, relayed
        case pinged(isFlushed: Bool = true)
        /// The round-trip time known then, in milliseconds.
        case answered(Int?)
        /// What is due.
        case due(Heartbeat.Due)
        case paused(Heartbeat.Due)
        case queued(since: Int, Heartbeat.Due)
        case unpinged(Heartbeat.Due)
        case isLate(Bool)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let steps: [(at: Int, Step)]

        init(_ name: String, _ steps: (Int, Step)...) {
            self.testDescription = name
            self.steps = steps
        }
    }

    private static func instant(_ milliseconds: Int) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: Int64(milliseconds) * 1_000_000)
    }

    private static func until(_ milliseconds: Int) -> Heartbeat.Due { .nothing(until: Self.instant(milliseconds)) }

    static let table: [Row] = [
        Row(
            "silence is asked after once", (0, .due(until(10_000))), (9_999, .due(until(10_000))),
            (10_000, .due(.ping)),
            (10_000, .due(until(12_000))), (10_000, .pinged()), (10_000, .due(until(12_000)))),
        Row(
            "life puts the ping off", (0, .due(until(10_000))), (7_000, .heard), (10_000, .due(until(17_000))),
            (17_000, .due(.ping))),
        Row(
            "an answer is life", (10_000, .due(.ping)), (10_000, .pinged()), (10_030, .heard), (10_030, .answered(30)),
            (12_000, .due(until(20_030))), (20_030, .due(.ping))),
        Row(
            "anything is life, and a pong is not demanded", (10_000, .due(.ping)), (10_000, .pinged()),
            (13_999, .heard),
            (14_000, .due(until(23_999)))),
        Row(
            "no answer: late, then dead", (10_000, .due(.ping)), (10_000, .pinged()), (11_999, .due(until(12_000))),
            (12_000, .due(.late)), (12_000, .isLate(true)), (12_000, .due(until(14_000))),
            (13_999, .due(until(14_000))),
            (14_000, .due(.dead)), (14_000, .isLate(true))),
        Row(
            "found late, it is dead at once", (10_000, .due(.ping)), (10_000, .pinged()), (14_000, .due(.dead)),
            (14_000, .isLate(false))),
        Row(
            "life ends lateness at once", (10_000, .due(.ping)), (10_000, .pinged()), (12_000, .due(.late)),
            (13_000, .heard), (13_000, .isLate(false)), (14_000, .due(until(23_000)))),
        Row(
            "what came in the turn of the ping is no answer", (10_000, .due(.ping)), (10_000, .pinged()),
            (10_000, .heard),
            (14_000, .due(.dead))),
        Row(
            "but its pong is", (10_000, .due(.ping)), (10_000, .pinged()), (10_000, .heard), (10_000, .answered(0)),
            (14_000, .due(until(20_000))), (20_000, .due(.ping))),
        Row(
            "a ping that waits in the queue has all its time after that", (10_000, .due(.ping)),
            (10_000, .pinged(isFlushed: false)), (10_000, .queued(since: 9_000, until(12_000))),
            (12_000, .queued(since: 11_900, until(14_000))), (13_500, .flushed), (14_000, .due(until(15_500))),
            (15_500, .due(.late)), (17_499, .due(until(17_500))), (17_500, .due(.dead))),
        Row(
            "the round trip is counted from then, too", (10_000, .due(.ping)), (10_000, .pinged(isFlushed: false)),
            (11_000, .flushed), (11_250, .heard), (11_250, .answered(250))),
        Row(
            "of a ping that seems not to have left, no round trip is known", (10_000, .due(.ping)),
            (10_000, .pinged(isFlushed: false)), (10_500, .heard), (10_500, .answered(nil))),
        Row(
            "nor is its answer expected once more when the rest of the queue has left", (10_000, .due(.ping)),
            (10_000, .pinged(isFlushed: false)), (10_500, .heard), (10_500, .answered(nil)), (12_000, .flushed),
            (14_000, .due(until(20_500))), (20_500, .due(.ping))),
        Row(
            "a ping that waits for the end of a frame", (10_000, .due(.ping)), (12_000, .due(until(14_000))),
            (12_500, .flushed), (14_000, .due(until(16_000))), (15_000, .pinged()), (16_000, .due(until(17_000))),
            (17_000, .due(.late)), (19_000, .due(.dead))),
        Row(
            "a pong is for one ping", (10_000, .due(.ping)), (10_000, .pinged()), (10_001, .answered(1)),
            (10_002, .answered(nil))),
        // The other side's pings.
        Row(
            "a relayed ping serves as ours", (9_000, .relayed), (10_000, .due(until(11_000))), (11_000, .due(.late)),
            (12_999, .due(until(13_000))), (13_000, .due(.dead))),
        Row(
            "its pong is life", (9_000, .relayed), (9_010, .heard), (10_000, .due(until(19_010))), (19_010, .due(.ping))
        ),
        Row(
            "be it in the same turn", (9_000, .relayed), (9_000, .heard), (11_000, .due(until(19_000))),
            (19_000, .due(.ping))),
        Row(
            "a peer that may be silent is not asked by it", (1_000, .relayed), (9_000, .due(until(10_000))),
            (10_000, .due(.dead))),
        Row(
            "the first one without an answer counts", (7_000, .relayed), (8_000, .relayed), (9_999, .relayed),
            (10_000, .due(.late)), (11_000, .due(.dead))),
        Row(
            "one after an answer is a new one", (1_000, .relayed), (1_500, .heard), (11_000, .relayed),
            (11_500, .due(until(13_000))), (13_000, .due(.late)), (15_000, .due(.dead))),
        Row(
            "beside ours it changes nothing", (10_000, .due(.ping)), (10_000, .pinged()), (13_000, .relayed),
            (13_000, .due(.late)), (14_000, .due(.dead))),
        Row(
            "one that waits in the queue has its time after that", (9_000, .relayed),
            (10_000, .queued(since: 9_000, until(12_000))), (12_000, .queued(since: 11_000, until(14_000))),
            (13_000, .due(until(14_000))), (14_000, .due(.late)), (16_000, .due(.dead))),
        // Reading stops and continues.
        Row(
            "a leg that is not read is not asked", (10_000, .paused(until(12_000))), (90_000, .paused(until(92_000))),
            (91_000, .resumed), (92_000, .due(until(101_000))), (101_000, .due(.ping))),
        Row(
            "nor is its answer missed", (10_000, .due(.ping)), (10_000, .pinged()), (12_000, .paused(until(14_000))),
            (14_000, .paused(until(16_000))), (15_000, .resumed), (16_000, .due(until(17_000))), (17_000, .due(.late)),
            (19_000, .due(.dead))),
        Row(
            "a relayed ping's neither", (9_000, .relayed), (12_000, .paused(until(14_000))), (13_500, .resumed),
            (14_000, .due(until(23_500))), (23_500, .due(.ping))),
        // Bytes that the peer does not accept.
        Row(
            "a peer that accepts nothing is stalled", (0, .due(until(10_000))), (8_000, .heard),
            (10_000, .queued(since: 5_000, until(18_000))), (18_000, .queued(since: 5_000, .ping)),
            (18_000, .queued(since: 5_000, until(19_000))), (18_999, .queued(since: 5_000, until(19_000))),
            (19_000, .queued(since: 5_000, .stalled))),
        Row("and one that accepts something is not", (18_999, .heard), (19_000, .queued(since: 6_000, until(20_000)))),
        Row("though it is not read", (13_000, .paused(until(15_000))), (19_000, .queued(since: 5_000, .stalled))),
        Row("a TCP server is not pinged", (90_000, .unpinged(.nothing(until: .never)))),
    ]

    private static func expect(
        _ expected: Heartbeat.Due, _ heartbeat: inout Heartbeat, at time: Int, _ connection: Heartbeat.Connection,
        _ location: SourceLocation = #_sourceLocation
    ) {
        let due = heartbeat.check(at: Self.instant(time), Self.settings, connection)
        #expect(due == expected, "at \(time)", sourceLocation: location)
    }

    @Test(arguments: table) func `each event leads to what is due`(row: Row) {
        var heartbeat = Heartbeat(at: Self.instant(0), spread: 0)
        for (time, step) in row.steps {
            let now = Self.instant(time)
            switch step {
            case .heard:
                let wasLate = heartbeat.isLate
                let isNoLongerLate = heartbeat.heard(at: now)
                #expect(isNoLongerLate == wasLate)
            case .resumed: heartbeat.resumed(at: now)
            case .flushed: heartbeat.flushed(at: now)
            case .relayed: heartbeat.relayedPing(at: now)
            case .pinged(let isFlushed): heartbeat.pinged(at: now, isFlushed: isFlushed, spread: 0)
            case .answered(let milliseconds):
                let expected = milliseconds.map { Duration.milliseconds($0) }
                let answered = heartbeat.answered(at: now)
                #expect(answered == expected)
                if expected != nil { #expect(heartbeat.roundTripTime == expected) }
            case .due(let due): Self.expect(due, &heartbeat, at: time, .init())
            case .paused(let due): Self.expect(due, &heartbeat, at: time, .init(isPaused: true))
            case .queued(let since, let due):
                Self.expect(due, &heartbeat, at: time, .init(queuedSince: Self.instant(since)))
            case .unpinged(let due): Self.expect(due, &heartbeat, at: time, .init(takesPings: false))
            case .isLate(let isLate): #expect(heartbeat.isLate == isLate, "at \(time)")
            }
        }
    }

    /// Never later than the interval, so that a client that vanished is found in time, and at most an eighth earlier.
    @Test(arguments: UInt8.min ... .max) func `periods are spread`(spread: UInt8) {
        var heartbeat = Heartbeat(at: Self.instant(0), spread: spread)
        guard case .nothing(let first) = heartbeat.check(at: Self.instant(0), Self.settings, .init()) else {
            Issue.record("something is due at once")
            return
        }
        #expect(first > Self.instant(8_750) && first <= Self.instant(10_000))
        #expect((first == Self.instant(10_000)) == (spread == 0))
        let due = heartbeat.check(at: first, Self.settings, .init())
        #expect(due == .ping)
        // Each ping draws a new random number.
        heartbeat.pinged(at: first, isFlushed: true, spread: 0)
        _ = heartbeat.heard(at: Self.instant(11_000))
        Self.expect(Self.until(21_000), &heartbeat, at: 11_000, .init())
    }

    /// Even with a long timeout, a peer that answers at once is pinged again in time.
    @Test(arguments: [UInt8.min, .max], [1, 3, 60]) func `the timer alone pings in time`(spread: UInt8, timeout: Int) {
        var settings = HeartbeatSettings()
        settings.interval = .seconds(2)
        settings.timeout = .seconds(timeout)
        var heartbeat = Heartbeat(at: Self.instant(0), spread: spread)
        var now = Self.instant(0)
        var pings = 0
        var isAsked = false
        while pings < 5 {
            switch heartbeat.check(at: now, settings, .init()) {
            case .nothing(let next):
                if isAsked { _ = heartbeat.heard(at: now + .milliseconds(1)) }
                isAsked = false
                now = next
            case .ping:
                #expect(now <= heartbeat.lastLife + .seconds(2))
                pings += 1
                isAsked = true
                heartbeat.pinged(at: now, isFlushed: true, spread: spread)
            case .late, .dead, .stalled:
                Issue.record("it answers")
                return
            }
        }
    }

    /// Whenever a peer becomes silent, pinged or not: with the timer alone, it is dead within interval and timeout.
    @Test(arguments: [UInt8.min, 1, 100, .max], [0, 1, 4_999, 9_000, 9_999, 10_001, 11_500])
    func `the timer alone finds a dead peer in time`(spread: UInt8, lastHeard: Int) {
        var heartbeat = Heartbeat(at: Self.instant(0), spread: spread)
        var now = Self.instant(0)
        var isSilent = false
        while true {
            if !isSilent, now > Self.instant(lastHeard) {
                _ = heartbeat.heard(at: Self.instant(lastHeard))
                isSilent = true
            }
            switch heartbeat.check(at: now, Self.settings, .init()) {
            case .nothing(let next):
                guard next > now else {
                    Issue.record("the timer stands still")
                    return
                }
                now = next
            case .ping: heartbeat.pinged(at: now, isFlushed: true, spread: spread)
            case .late: break
            case .stalled: Issue.record("nothing is queued")
            case .dead:
                #expect(now <= Self.instant(lastHeard) + .seconds(14))
                #expect(now > Self.instant(lastHeard) + .seconds(12))
                return
            }
        }
    }
}
