internal import CLinux
internal import Glibc

/// An open folder, below which files are opened. No path leads out of it, whatever links there are.
public final class Folder: Sendable {
    private let descriptor: Int32
    /// What may be opened and read without waiting. Nothing on a file system that asks a server or a program, or is not known.
    let cached: OpenFile.CachedReads

    /// Opens the folder at a path, links followed. Blocks for as long as its file system does.
    public init(_ path: String) throws(SystemError) {
        self.descriptor = unsafe gateway_open_folder(path)
        guard self.descriptor >= 0 else { throw .last("open") }
        self.cached =
            switch gateway_cached_files(self.descriptor) {
            case gateway_cached_unmarked: .all
            case gateway_cached_marked: .unnoted
            default: .none
            }
    }

    deinit { close(self.descriptor) }

    /// The kernel asks to try again when something was moved while it followed `..` of a link.
    private static let mostTries = 8

    /// Opens a file. Blocks for as long as its file system does.
    ///
    /// - Parameter name: its path below the folder, without NUL.
    public func open(_ name: [UInt8]) -> OpenFile.Opening {
        let path = Self.terminated(name)
        var descriptor: Int32 = -1
        for _ in 0..<Self.mostTries {
            // The kernel reads the array up to the NUL at its end.
            descriptor = unsafe gateway_open_below(self.descriptor, path)
            if descriptor >= 0 || errno != EAGAIN { break }
        }
        return OpenFile.opened(descriptor, "openat2")
    }

    /// Opens a file, or says that there is none, without waiting. Throws if that is not certain: then `open` is to be asked.
    ///
    /// - Parameter name: its path below the folder, without NUL.
    public func openCached(_ name: [UInt8]) throws(NotCached) -> OpenFile.Opening {
        guard self.cached != .none else { throw NotCached() }
        // The kernel reads the array up to the NUL at its end.
        let descriptor = unsafe gateway_open_cached(self.descriptor, Self.terminated(name))
        guard descriptor >= 0 || errno == ENOENT else { throw NotCached() }
        return OpenFile.opened(descriptor, "openat2", reads: self.cached)
    }

    private static func terminated(_ name: [UInt8]) -> [CChar] { name.map { CChar(bitPattern: $0) } + [0] }
}
