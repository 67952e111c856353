internal import CLinux

/// The number of processors that this process can keep busy: those that it may run on, or fewer if a control group limits their
/// time.
public enum ProcessorCount {
    /// At least 1.
    public static func available() -> Int {
        self.available(of: Int(gateway_processor_count()), reading: ControlGroups.text)
    }

    /// The same, from other files.
    ///
    /// - Parameters:
    ///   - affinity: how many processors it may run on.
    ///   - read: returns the text of a file; `nil` if there is none.
    static func available(of affinity: Int, reading read: @escaping (String) -> String?) -> Int {
        let quotas = ControlGroups(read: read).folders(of: "cpu").compactMap { self.quota(in: $0, read) }
        return max(1, min(affinity, quotas.min() ?? affinity))
    }

    /// A group's time in a period, in processors, rounded up: with half of one a worker has to pause at times. `nil` is no limit.
    private static func quota(in group: ControlGroups.Folder, _ read: (String) -> String?) -> Int? {
        let texts: [Substring]?
        switch group {
        // "150000 100000", or "max 100000".
        case .version2(let folder): texts = read("\(folder)/cpu.max")?.split { $0 == " " || $0 == "\n" }
        // -1 is no limit.
        case .version1(let folder):
            texts = [read("\(folder)/cpu.cfs_quota_us"), read("\(folder)/cpu.cfs_period_us")].compactMap {
                $0?.split(separator: "\n").first
            }
        }
        let numbers = texts?.compactMap { Int($0) } ?? []
        guard numbers.count == 2, numbers[0] > 0, numbers[1] > 0 else { return nil }
        return (numbers[0] - 1) / numbers[1] + 1
    }
}
