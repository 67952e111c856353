import Testing

@testable import System

@Suite struct ProcessorCountTests {
    private func available(_ affinity: Int, _ files: [String: String]) -> Int {
        ProcessorCount.available(of: affinity) { files[$0] }
    }

    @Test func `without control groups it is the affinity`() {
        #expect(self.available(8, [:]) == 8)
        #expect(self.available(8, ["/proc/self/cgroup": "0::/\n"]) == 8)
    }

    @Test(arguments: [
        ("max 100000\n", 16), ("200000 100000\n", 2), ("150000 100000\n", 2), ("100001 100000\n", 2),
        ("50000 100000\n", 1), ("1000 100000\n", 1), ("3200000 100000\n", 16), ("400000 50000\n", 8),
        ("100000\n", 16), ("100000 0\n", 16), ("-1 100000\n", 16), ("lots 100000\n", 16), ("", 16),
        ("9223372036854775807 1\n", 16),
    ])
    func `a control group of version 2 limits it, rounded up`(_ text: String, _ count: Int) {
        let files = [
            "/proc/self/cgroup": "0::/system.slice/gateway.service\n",
            "/sys/fs/cgroup/system.slice/gateway.service/cpu.max": text,
        ]
        #expect(self.available(16, files) == count)
    }

    @Test func `a control group above limits it, too`() {
        let files = [
            "/proc/self/cgroup": "0::/kubepods/pod1/box\n", "/sys/fs/cgroup/kubepods/pod1/box/cpu.max": "max 100000\n",
            "/sys/fs/cgroup/kubepods/pod1/cpu.max": "250000 100000\n",
            "/sys/fs/cgroup/kubepods/cpu.max": "800000 100000\n",
        ]
        #expect(self.available(16, files) == 3)
    }

    @Test func `a container sees only its own top group`() {
        let files = ["/proc/self/cgroup": "0::/docker/1\n", "/sys/fs/cgroup/cpu.max": "200000 100000\n"]
        #expect(self.available(16, files) == 2)
    }

    @Test(arguments: [("150000\n", "100000\n", 2), ("-1\n", "100000\n", 16), ("100000\n", nil, 16)])
    func `a control group of version 1 limits it`(_ quota: String, _ period: String?, _ count: Int) {
        var files = [
            "/proc/self/cgroup": "12:cpuset:/a\n3:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/docker/1\n",
            "/sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us": quota,
        ]
        files["/sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us"] = period
        #expect(self.available(16, files) == count)
    }

    @Test func `the affinity limits it too`() {
        let files = ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "800000 100000\n"]
        #expect(self.available(4, files) == 4)
        #expect(ProcessorCount.available() >= 1)
    }
}
