/// How much memory this process may count on: the machine's, or less where a control group limits it.
package enum MachineMemory {
    /// In bytes; `nil` where the system does not say.
    package static func available() -> Int? { self.available(reading: ControlGroups.text) }

    /// - Parameter read: the text of a file; `nil` where there is none.
    package static func available(reading read: @escaping (String) -> String?) -> Int? {
        ([self.total(reading: read)] + self.groupLimits(reading: read)).compactMap(\.self).min()
    }

    /// `MemTotal:       24683520 kB` (proc_meminfo(5)).
    private static func total(reading read: (String) -> String?) -> Int? {
        let lines = (read("/proc/meminfo") ?? "").split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("MemTotal:") }) else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }

    /// What the control groups that the process is in allow. "max" and what is no number is no limit; version 1 writes a number that no machine
    /// has.
    private static func groupLimits(reading read: @escaping (String) -> String?) -> [Int?] {
        ControlGroups(read: read).folders(of: "memory").map { group in
            let text =
                switch group {
                case .version1(let folder): read("\(folder)/memory.limit_in_bytes")
                case .version2(let folder): read("\(folder)/memory.max")
                }
            return text?.split(separator: "\n").first.flatMap { Int($0) }
        }
    }
}
