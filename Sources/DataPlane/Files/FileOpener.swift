internal import System

/// How files are opened for a search.
///
/// A worker never waits for a disk, and it would for most of what one does with a file. So it takes one of two ways:
///
/// - What is cached it serves itself (`CachedOpener`), which spares two switches of threads: names that the kernel knows (`RESOLVE_CACHED`)
///   and pages that are in memory (`RWF_NOWAIT`). These calls fail where they would wait. They hold only for file systems that are known to
///   open a file without asking anyone, and only for reads that the file system need not note; `Folder` and `OpenFile` see to that.
/// - Everything else a reader thread does (`WaitingOpener`).
///
/// What each way costs is in `ops/bench/HTTP.md`.
protocol FileOpener {
    associatedtype Failure: Error

    /// The folder at a path.
    func folder(_ path: String) throws(Failure) -> Result<Folder, SystemError>
    /// What there is at a path.
    func open(_ path: String) throws(Failure) -> OpenFile.Opening
    /// What there is below a folder.
    func open(_ name: [UInt8], below folder: Folder) throws(Failure) -> OpenFile.Opening
}
