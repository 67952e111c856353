internal import Synchronization

/// Folders that stay open for a second, so that not each file that is opened costs opening its folder too, and a link to another folder
/// still counts soon after it was moved.
///
/// All threads may use it.
public final class Folders: Sendable {
    /// How long a folder is kept open.
    static let longestKept = Duration.seconds(1)

    private struct Kept {
        let folder: Folder
        let since: MonotonicInstant
    }

    private let kept = Mutex<[String: Kept]>([:])

    /// None is open.
    public init() {}

    /// The folder at a path. Blocks for as long as its file system does.
    public func folder(_ path: String, at now: MonotonicInstant = .now()) throws(SystemError) -> Folder {
        let known = self.kept.withLock { kept in
            kept = kept.filter { now - $0.value.since < Self.longestKept }
            return kept[path]?.folder
        }
        if let known { return known }
        let folder = try Folder(path)
        self.kept.withLock { $0[path] = Kept(folder: folder, since: now) }
        return folder
    }
}
