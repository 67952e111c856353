/// The memory that this process may use: the machine's, or less if a control group limits it.
public enum MachineMemory {
    /// In bytes; `nil` if the system does not tell.
    public static func available() -> Int? { self.available(reading: ControlGroups.text) }

    /// The same, from other files.
    ///
    /// - Parameter read: returns the text of a file; `nil` if there is none.
    static func available(reading read: @escaping (String) -> String?) -> Int? {
        ([self.total(reading: read)] + self.groupLimits(reading: read)).compactMap(\.self).min()
    }

    /// `MemTotal:       24683520 kB` (proc_meminfo(5)).
    private static func total(reading read: (String) -> String?) -> Int? {
        let lines = (read("/proc/meminfo") ?? "").split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix("MemTotal:") }) else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
    }

    /// The limits of the process' control groups. In version 2 "max" is no limit, and in version 1 a number larger than any
    /// machine's memory.
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
