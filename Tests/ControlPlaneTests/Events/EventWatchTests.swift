import Configuration
import DataPlane
import Observability
import System
import TestSupport
import Testing

@testable import ControlPlane

/// Workers that are asked, and answer when the test says so.
private final class AskedWorkers {
    let loop: EventLoop
    let log: Log
    let survey: Survey
    /// How many questions the one worker got.
    private(set) var questions = 0

    init() throws {
        self.loop = try EventLoop()
        var settings = GatewayConfiguration.Log()
        settings.file = temporaryPath(".log")
        self.log = try Log(settings)
        let fleet = try Fleet(workers: 1, descriptorLimit: 1000)
        self.survey = Survey(fleet)
        try fleet.members[0].mailbox.open(on: self.loop) { [unowned self] in
            if case .ask = $0 { self.questions += 1 }
        }
    }

    deinit { self.log.close() }

    /// Answers the question with this number, from 0 on.
    func answer(_ question: Int, opens: UInt64) {
        var totals = ActivityTotals()
        totals.opens = opens
        self.survey.received(totals, id: question, from: 0)
    }

    /// Runs the loop until something holds.
    func turn(until isDone: () -> Bool) throws {
        let limit = MonotonicInstant.now() + .seconds(20)
        while !isDone() {
            try #require(.now() < limit, "nothing happens any more")
            self.loop.turn(waitingAtMost: .seconds(20))
        }
    }
}

@Suite struct EventWatchTests {
    @Test func `without a listener no worker is asked`() throws {
        let workers = try AskedWorkers()
        let watch = try EventWatch(workers.log, workers.survey, workers.loop)
        #expect(!workers.log.feed.listens)
        var told = 0
        watch.listen { _ in told += 1 }
        #expect(workers.log.feed.listens)
        try workers.turn { workers.questions == 1 }
        watch.stop()
        #expect(!workers.log.feed.listens)
        workers.answer(0, opens: 3)
        var isOver = false
        let timer = ControlTimer(workers.loop, once: .milliseconds(1200)) { isOver = true }
        try workers.turn { isOver }
        timer.cancel()
        #expect(workers.questions == 1 && told == 0)
    }

    @Test func `each second a listener is told what was counted since the last`() throws {
        let workers = try AskedWorkers()
        let watch = try EventWatch(workers.log, workers.survey, workers.loop)
        var opens: [UInt64] = []
        watch.listen { if case .summary(let point) = $0 { opens.append(point.counts.opens) } }
        defer { watch.stop() }
        for (question, total) in [10, 13, 13, 20].enumerated() as EnumeratedSequence<[UInt64]> {
            try workers.turn { workers.questions == question + 1 }
            workers.answer(question, opens: total)
        }
        #expect(opens == [3, 0, 7])
    }

    @Test func `a worker that owes an answer is not asked again`() throws {
        let workers = try AskedWorkers()
        let meter = ActivityMeter(workers.survey, from: ActivityTotals())
        var opens: [UInt64] = []
        for _ in 0..<3 { meter.look { opens.append($0.counts.opens) } }
        workers.loop.turn(waitingAtMost: .zero)
        #expect(workers.questions == 1)
        workers.answer(0, opens: 5)
        #expect(opens == [5])
        meter.look { opens.append($0.counts.opens) }
        workers.answer(1, opens: 7)
        #expect(opens == [5, 2])
    }

    @Test func `what the control thread had no room for is told as a number`() throws {
        let workers = try AskedWorkers()
        let watch = try EventWatch(workers.log, workers.survey, workers.loop)
        var (logged, skipped) = (0, 0)
        watch.listen {
            switch $0 {
            case .logged: logged += 1
            case .skipped(let count): skipped += count
            case .summary: break
            }
        }
        defer { watch.stop() }
        for _ in 0..<5000 { workers.log.write(LogRecord(.info, "open")) }
        try workers.turn { logged + skipped == 5000 }
        #expect(logged > 0 && skipped > 0)
    }
}
