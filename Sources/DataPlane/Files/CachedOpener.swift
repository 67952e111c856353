internal import System

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
