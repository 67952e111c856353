import Configuration
import Foundation
import System
import TestSupport
import Testing

@testable import Observability

@Suite struct EventFeedTests {
    /// A log that writes errors only, to a file that is thrown away.
    private func log() throws -> Log {
        var settings = GatewayConfiguration.Log()
        settings.file = temporaryPath(".log")
        settings.level = .error
        return try Log(settings)
    }

    private func record(_ event: String) -> LogRecord {
        var record = LogRecord(.info, event)
        record.add("session", "00000000000000a1")
        record.add("count", 3)
        return record
    }

    /// What a listener gets of these records.
    private func told(_ events: [String]) throws -> [[String: Any]] {
        let log = try self.log()
        defer { log.close() }
        let loop = try EventLoop()
        var told: [[UInt8]] = []
        try log.feed.open(on: loop) { told.append($0) }
        log.feed.listens = true
        for event in events { log.write(self.record(event)) }
        loop.turn(waitingAtMost: .zero)
        return try told.map { try #require(JSONSerialization.jsonObject(with: Data($0)) as? [String: Any]) }
    }

    @Test func `a listener gets each event, whatever the level of the log`() throws {
        let words = [
            ("open", "open"), ("close", "close"), ("refused", "refused"), ("health", "health"), ("reloaded", "reload"),
            ("reload-refused", "reload"), ("draining", "drain"), ("admin", "admin"),
        ]
        let told = try self.told(words.map(\.0))
        #expect(told.compactMap { $0["event"] as? String } == words.map(\.1))
        for event in told {
            #expect(Set(event.keys) == ["event", "at", "session", "count"])
            #expect(event["count"] as? Int == 3)
        }
    }

    @Test func `other records are no events`() throws {
        #expect(try self.told(["listening", "request", "health-check", "reload-closes", "stopped"]).isEmpty)
    }

    @Test func `without a listener records below the level are not made`() throws {
        let log = try self.log()
        defer { log.close() }
        #expect(!log.takes(.info, "open"))
        log.feed.listens = true
        #expect(log.takes(.info, "open") && !log.takes(.info, "request") && log.takes(.error, "request"))
        log.feed.listens = false
        #expect(!log.takes(.info, "open"))
    }

    @Test func `what the listener is too slow for is counted`() throws {
        let log = try self.log()
        defer { log.close() }
        let loop = try EventLoop()
        var told = 0
        try log.feed.open(on: loop) { _ in told += 1 }
        log.feed.listens = true
        for _ in 0..<(EventFeed.mostWaiting + 5) { log.write(self.record("open")) }
        #expect(log.feed.takeSkipped() == 5)
        #expect(log.feed.takeSkipped() == 0)
        while told < EventFeed.mostWaiting { loop.turn(waitingAtMost: .zero) }
        log.write(self.record("open"))
        loop.turn(waitingAtMost: .zero)
        #expect(told == EventFeed.mostWaiting + 1)
        #expect(log.feed.takeSkipped() == 0)
    }

    @Test func `the last thousand refusals are kept, the newest first`() throws {
        let log = try self.log()
        defer { log.close() }
        #expect(log.feed.lastRefusals.isEmpty)
        for number in 0..<(EventFeed.mostKept + 2) {
            log.feed.add(
                RefusedRequest(
                    at: .seconds(number), client: "192.0.2.1", host: nil, path: nil, route: nil, origin: nil,
                    status: 404,
                    reason: "none"))
        }
        #expect(log.feed.lastRefusals.map { $0.at.components.seconds } == (2..<1002).reversed())
    }
}
