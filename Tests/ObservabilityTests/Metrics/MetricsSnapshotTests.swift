import System
import Testing

@testable import Observability

@Suite struct MetricsSnapshotTests {
    /// The samples of a family, as `label=value,… number`.
    private func samples(_ name: String, _ families: [MetricFamily]) -> [String] {
        families.filter { $0.name == name }.flatMap(\.samples).map { sample in
            let labels = sample.labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
            return if case .number(let number) = sample.value { "\(labels) \(number)" } else { "\(labels) histogram" }
        }
    }

    private func families(
        _ snapshot: MetricsSnapshot, control: MetricsSnapshot.Control = MetricsSnapshot.Control()
    ) -> [MetricFamily] {
        snapshot.families(
            control: control, others: [MetricFamily("gateway_backend_up", .gauge, help: "Up.", samples: [])],
            droppedLines: 3, version: "1.2",
            usage: ProcessUsage(residentBytes: 4096, processorTime: .milliseconds(1500), openDescriptors: 9))
    }

    @Test func `a histogram counts up to its bounds`() {
        var histogram = Histogram(bounds: [0.5, 1])
        for milliseconds in [0, 500, 501, 1000, 1001, 50_000] { histogram.observe(.milliseconds(milliseconds)) }
        var other = Histogram(bounds: [0.5, 1])
        other.observe(.milliseconds(250))
        histogram.add(other)
        #expect(histogram.value == .histogram(buckets: [(0.5, 3), (1, 5), (.infinity, 7)], sum: 53.252))
    }

    @Test func `the counts of the control thread and the process are shown`() {
        var control = MetricsSnapshot.Control()
        control.appliedReloads = 1
        control.refusedReloads = 2
        let families = self.families(MetricsSnapshot(), control: control)
        #expect(self.samples("gateway_reloads_total", families) == ["result=applied 1.0", "result=refused 2.0"])
        #expect(self.samples("gateway_log_dropped_total", families) == [" 3.0"])
        #expect(self.samples("gateway_build_info", families) == ["version=1.2 1.0"])
        #expect(self.samples("process_cpu_seconds_total", families) == [" 1.5"])
        #expect(self.samples("process_resident_memory_bytes", families) == [" 4096.0"])
        #expect(self.samples("process_open_fds", families) == [" 9.0"])
    }

    @Test func `every family occurs once and has a help text`() {
        let families = self.families(MetricsSnapshot())
        #expect(Set(families.map(\.name)).count == families.count)
        #expect(families.allSatisfy { !$0.help.isEmpty })
        #expect(families.allSatisfy { $0.name.hasSuffix("_total") == ($0.kind == .counter) })
    }

    @Test func `the usage of this process is not zero`() throws {
        let usage = ProcessUsage.now()
        #expect(try #require(usage.residentBytes) > 1 << 20)
        #expect(usage.processorTime > .zero)
        if let count = usage.openDescriptors { #expect(count > 2) }
    }
}
