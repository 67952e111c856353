internal import Synchronization

/// Folders that stay open for a second, so that not each file that is opened costs opening its folder too, and a link to another folder
/// still counts soon after it was moved.
///
/// All threads may use it.
public final class Folders: Sendable {
    /// How long a folder is kept open.
    static let longestKept = Duration.seconds(1)

    private struct Kept {
        let path: String
        let folder: Folder
        let since: MonotonicInstant
    }

    private let kept = Mutex<[Kept]>([])

    /// None is open.
    public init() {}

    /// The folder at a path. Blocks for as long as its file system does.
    public func folder(_ path: String, at now: MonotonicInstant = .now()) throws(SystemError) -> Folder {
        if let folder = self.known(path, at: now) { return folder }
        let folder = try Folder(path)
        self.kept.withLock { kept in
            // Those that count no more stay as long again, so that a caller of `known` is not the last to let go of one: that may block.
            kept.removeAll { now - $0.since >= Self.longestKept * 2 }
            kept.append(Kept(path: path, folder: folder, since: now))
        }
        return folder
    }

    /// The same without waiting; `nil` if it is not open.
    public func known(_ path: String, at now: MonotonicInstant = .now()) -> Folder? {
        self.kept.withLock { kept in
            kept.last { $0.path == path && now - $0.since < Self.longestKept }?.folder
        }
    }
}
