internal import CLinux

/// How many processors this process may keep busy: those that it may run on, or fewer where a control group limits their time.
package enum ProcessorCount {
    /// At least 1.
    package static func available() -> Int {
        self.available(of: Int(gateway_processor_count()), reading: ControlGroups.text)
    }

    /// - Parameters:
    ///   - affinity: how many it may run on.
    ///   - read: the text of a file; `nil` where there is none.
    package static func available(of affinity: Int, reading read: @escaping (String) -> String?) -> Int {
        let quotas = ControlGroups(read: read).folders(of: "cpu").compactMap { self.quota(in: $0, read) }
        return max(1, min(affinity, quotas.min() ?? affinity))
    }

    /// The time that a group may use in a period, in whole processors, rounded up: half of one is a worker that is held up at times. `nil`: it
    /// has no limit.
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
