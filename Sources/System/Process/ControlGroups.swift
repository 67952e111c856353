/// The control groups of this process (cgroups(7)). Each is also limited by those above it.
struct ControlGroups {
    /// A group's folder, in the hierarchy of version 1 or 2.
    enum Folder: Equatable {
        case version1(String)
        case version2(String)
    }

    /// Returns the text of a file; `nil` if there is none.
    let read: (String) -> String?

    /// The text of one of the system's files; `nil` if there is none.
    static func text(of path: String) -> String? {
        (try? FileContents.read(path)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The folders of the groups in which a controller (`memory`, `cpu`) limits this process, from the top down to its own.
    /// If a controller is in version 1, version 2 has no files for it.
    ///
    /// `/proc/self/cgroup` has a line `0::/path` for version 2, and `4:cpu,cpuacct:/path` for each hierarchy of version 1. In a
    /// container the path may be that of the host, of which only the top is visible.
    func folders(of controller: String) -> [Folder] {
        (self.read("/proc/self/cgroup") ?? "").split(separator: "\n").flatMap { line -> [Folder] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            let groups = Self.groups(downTo: fields[2])
            if fields[0] == "0", fields[1].isEmpty { return groups.map { .version2("/sys/fs/cgroup\($0)") } }
            guard fields[1].split(separator: ",").contains(where: { $0 == controller }) else { return [] }
            // Where controllers are mounted together, each has a link of its own, but not in all containers.
            let mounts = Set([controller[...], fields[1]])
            return mounts.flatMap { mount in groups.map { .version1("/sys/fs/cgroup/\(mount)\($0)") } }
        }
    }

    /// `/a/b`: the top, `/a` and `/a/b`.
    private static func groups(downTo path: Substring) -> [String] {
        let names = path.split(separator: "/")
        return (0...names.count).map { count in names.prefix(count).map { "/\($0)" }.joined() }
    }
}
