internal import CLinux
internal import Glibc

/// An open folder, below which files are opened. No path leads out of it, whatever links there are.
public final class Folder: Sendable {
    private let descriptor: Int32

    /// Opens the folder at a path, links followed. Blocks for as long as its file system does.
    public init(_ path: String) throws(SystemError) {
        self.descriptor = unsafe gateway_open_folder(path)
        guard self.descriptor >= 0 else { throw .last("open") }
    }

    deinit { close(self.descriptor) }

    /// The kernel asks to try again when something was moved while it followed `..` of a link.
    private static let mostTries = 8

    /// Opens a file. Blocks for as long as its file system does.
    ///
    /// - Parameter name: its path below the folder, without NUL.
    public func open(_ name: [UInt8]) -> OpenFile.Opening {
        let path = name.map { CChar(bitPattern: $0) } + [0]
        var descriptor: Int32 = -1
        for _ in 0..<Self.mostTries {
            // The kernel reads the array up to the NUL at its end.
            descriptor = unsafe gateway_open_below(self.descriptor, path)
            if descriptor >= 0 || errno != EAGAIN { break }
        }
        return OpenFile.opened(descriptor, "openat2")
    }
}
