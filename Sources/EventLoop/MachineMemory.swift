/// How much memory this process may count on: the machine's, or less where a control group limits it.
package enum MachineMemory {
    /// In bytes; `nil` where the system does not say.
    package static func available() -> Int? { self.available(reading: self.text) }

    /// - Parameter read: the text of a file; `nil` where there is none.
    package static func available(reading read: (String) -> String?) -> Int? {
        ([self.total(reading: read)] + self.groupLimits(reading: read)).compactMap(\.self).min()
    }

    private static func text(of path: String) -> String? {
        (try? FileContents.read(path)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// `MemTotal:       24683520 kB` (proc_meminfo(5)).
    private static func total(reading read: (String) -> String?) -> Int? {
        let lines = (read("/proc/meminfo") ?? "").split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("MemTotal:") }) else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }

    /// What the control groups that the process is in allow (cgroups(7)): `0::/path` is version 2, `4:memory:/path` version 1. Each
    /// group is limited by those above it, too. In a container a path may be the host's, of which only the top is seen.
    private static func groupLimits(reading read: (String) -> String?) -> [Int?] {
        (read("/proc/self/cgroup") ?? "").split(separator: "\n").flatMap { line -> [Int?] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            if fields[0] == "0", fields[1].isEmpty {
                return self.limits("/sys/fs/cgroup", fields[2], "memory.max", reading: read)
            }
            guard fields[1].split(separator: ",").contains("memory") else { return [] }
            return self.limits("/sys/fs/cgroup/memory", fields[2], "memory.limit_in_bytes", reading: read)
        }
    }

    /// From the group at `path` up to the top. "max" and what is no number is no limit; version 1 writes a number that no machine has.
    private static func limits(
        _ top: String, _ path: Substring, _ file: String, reading read: (String) -> String?
    ) -> [Int?] {
        let names = path.split(separator: "/")
        return (0...names.count).map { count in
            let group = names.prefix(count).map { "/\($0)" }.joined()
            return read("\(top)\(group)/\(file)").flatMap { text in
                text.split(separator: "\n").first.flatMap { Int($0) }
            }
        }
    }
}
