import Testing

@testable import System

@Suite struct MachineMemoryTests {
    private static let meminfo = "MemTotal:       24683520 kB\nMemFree:        22116352 kB\n"
    private static let total = 24_683_520 << 10

    private func available(_ files: [String: String]) -> Int? {
        MachineMemory.available { path in
            files[path] ?? (path == "/proc/meminfo" ? Self.meminfo : nil)
        }
    }

    @Test func `without control groups it is the machine's memory`() {
        #expect(self.available([:]) == Self.total)
        #expect(self.available(["/proc/self/cgroup": ""]) == Self.total)
        #expect(self.available(["/proc/self/cgroup": "nonsense\n0::\n:\n"]) == Self.total)
    }

    @Test func `a control group of version 2 limits it`() {
        let files = [
            "/proc/self/cgroup": "0::/system.slice/gateway.service\n",
            "/sys/fs/cgroup/system.slice/gateway.service/memory.max": "536870912\n",
            "/sys/fs/cgroup/system.slice/memory.max": "max\n",
        ]
        #expect(self.available(files) == 512 << 20)
    }

    @Test func `a control group above limits it, too`() {
        let files = [
            "/proc/self/cgroup": "0::/system.slice/gateway.service\n",
            "/sys/fs/cgroup/system.slice/gateway.service/memory.max": "536870912\n",
            "/sys/fs/cgroup/system.slice/memory.max": "268435456\n",
        ]
        #expect(self.available(files) == 256 << 20)
    }

    @Test func `a container sees only its own top group`() {
        let files = ["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "1073741824\n"]
        #expect(self.available(files) == 1 << 30)
    }

    @Test func `a control group of version 1 limits it`() {
        let files = [
            "/proc/self/cgroup":
                "12:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n1:name=systemd:/docker/1\n0::/docker/1\n",
            "/sys/fs/cgroup/memory/memory.limit_in_bytes": "134217728\n",
        ]
        #expect(self.available(files) == 128 << 20)
    }

    @Test func `a limit above the machine's memory is no limit`() {
        let files = [
            "/proc/self/cgroup": "4:memory:/\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        ]
        #expect(self.available(files) == Self.total)
    }

    @Test func `without the system's files it is unknown`() {
        #expect(MachineMemory.available { _ in nil } == nil)
        #expect(MachineMemory.available { _ in "MemTotal: many kB" } == nil)
    }

    @Test func `this machine has memory`() throws {
        #expect(try #require(MachineMemory.available()) > 1 << 20)
    }
}
