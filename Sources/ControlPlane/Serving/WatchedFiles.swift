internal import System

/// The files that a configuration names beside itself, as they were when they were read.
///
/// They are looked at from time to time rather than watched: certificates are replaced by renaming, by writing in place, and by turning
/// a symbolic link of a directory somewhere above, and a look sees all of these.
struct WatchedFiles {
    private var stamps: [String: FileStamp?]

    init(_ files: FileSet) { self.stamps = files.stamps }

    /// Where they are.
    var paths: [String] { self.stamps.keys.sorted() }

    /// Whether a file is not as it was when what is in force was read.
    func differ(from stamps: [String: FileStamp?]) -> Bool { stamps != self.stamps }
}
