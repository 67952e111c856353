internal import System

/// How files are opened for a search.
///
/// A worker never waits for a disk, and it would for most of what one does with a file. So it takes one of two ways:
///
/// - What is cached it serves itself (`CachedOpener`), which spares two switches of threads: names that the kernel knows (`RESOLVE_CACHED`)
///   and pages that are in memory (`RWF_NOWAIT`). These calls fail where they would wait. They hold only for file systems that are known to
///   open a file without asking anyone, and only for reads that the file system need not note; `Folder` and `OpenFile` see to that.
/// - Everything else a reader thread does (`WaitingOpener`).
protocol FileOpener {
    associatedtype Failure: Error

    /// The folder at a path.
    func folder(_ path: String) throws(Failure) -> Result<Folder, SystemError>
    /// What there is at a path.
    func open(_ path: String) throws(Failure) -> OpenFile.Opening
    /// What there is below a folder.
    func open(_ name: [UInt8], below folder: Folder) throws(Failure) -> OpenFile.Opening
}

/// Waits for as long as the file system does.
struct WaitingOpener: FileOpener {
    let folders: Folders

    func folder(_ path: String) -> Result<Folder, SystemError> {
        Result { () throws(SystemError) in try self.folders.folder(path) }
    }

    func open(_ path: String) -> OpenFile.Opening { OpenFile.open(path) }

    func open(_ name: [UInt8], below folder: Folder) -> OpenFile.Opening { folder.open(name) }
}

/// Opens what is cached, and never waits. Throws if it would have to.
struct CachedOpener: FileOpener {
    let files: WorkerFiles

    func folder(_ path: String) throws(NotCached) -> Result<Folder, SystemError> {
        guard let folder = self.files.folders.known(path) else { throw NotCached() }
        return .success(folder)
    }

    /// On what file system it is would be known too late.
    func open(_ path: String) throws(NotCached) -> OpenFile.Opening { throw NotCached() }

    func open(_ name: [UInt8], below folder: Folder) throws(NotCached) -> OpenFile.Opening {
        let opening = try folder.openCached(name)
        if case .file(let file) = opening { self.files.letGo(of: file) }
        return opening
    }
}
