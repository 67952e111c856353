import Configuration
import Testing

@testable import Sessions

@Suite struct KeepAliveTests {
    private func times(_ interval: Duration, _ timeout: Duration) -> [Int32] {
        var settings = HeartbeatSettings()
        settings.interval = interval
        settings.timeout = timeout
        let times = KeepAlive(settings)
        return [times.idle, times.interval, times.count]
    }

    @Test func `the times are those of the heartbeat in whole seconds`() {
        #expect(self.times(.seconds(25), .seconds(10)) == [25, 2, 5])
        #expect(self.times(.seconds(2), .seconds(1)) == [2, 1, 1])
        #expect(self.times(.milliseconds(1500), .milliseconds(2100)) == [2, 1, 3])
        #expect(self.times(.milliseconds(100), .milliseconds(50)) == [1, 1, 1])
        #expect(self.times(.seconds(60), .seconds(7)) == [60, 2, 4])
        #expect(self.times(.seconds(86400), .seconds(86400)) == [32767, 6554, 5])
    }

    @Test func `if the heartbeat is off, its defaults are used`() {
        let times = KeepAlive(nil)
        #expect([times.idle, times.interval, times.count] == [25, 2, 5])
    }
}
