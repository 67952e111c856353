internal import System

/// The files that a configuration names, as they were when they were read.
///
/// They are compared from time to time instead of watched: a certificate may be replaced by a rename, written in place, or be behind a
/// symbolic link to a directory that moves. A comparison notices all of these.
struct WatchedFiles {
    private var stamps: [String: FileStamp?]

    init(_ files: FileSet) { self.stamps = files.stamps }

    /// The paths, sorted.
    var paths: [String] { self.stamps.keys.sorted() }

    /// Whether a file has changed since it was read.
    func differ(from stamps: [String: FileStamp?]) -> Bool { stamps != self.stamps }
}
