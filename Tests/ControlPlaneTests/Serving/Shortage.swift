import Synchronization
import System

@testable import DataPlane

/// Files of a process that can run out of descriptors.
final class Shortage: Sendable {
    /// How often a file was to be read.
    let reads = Atomic(0)
    let isShort = Atomic(false)

    var access: FileReader.Access {
        FileReader.Access(
            read: { path throws(FileError) in
                self.reads.add(1, ordering: .relaxed)
                if self.isShort.load(ordering: .relaxed) { throw .system(SystemError("open", 24)) }
                return try FileContents.read(path)
            })
    }
}
