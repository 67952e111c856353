internal import System

/// Waits for as long as the file system does.
struct WaitingOpener: FileOpener {
    let folders: Folders

    func folder(_ path: String) -> Result<Folder, SystemError> {
        Result { () throws(SystemError) in try self.folders.folder(path) }
    }

    func open(_ path: String) -> OpenFile.Opening { OpenFile.open(path) }

    func open(_ name: [UInt8], below folder: Folder) -> OpenFile.Opening { folder.open(name) }
}
