internal import Glibc

/// The files of a request, with their contents or errors.
package struct FileSet: Sendable {
    /// A file that was reached.
    package struct File: Sendable {
        /// Taken before the file was read; `nil` if there was no file.
        package let stamp: FileStamp?
        /// Its bytes, or why they could not be read.
        package let contents: Result<[UInt8], FileError>
    }

    /// The file at which a request stopped early.
    package struct Obstacle: Error, Equatable, Sendable, CustomStringConvertible {
        /// The path of the file.
        package let path: String
        /// Why it could not be read.
        package let error: FileError

        package var description: String { "\(self.path): \(self.error)" }
    }

    private let files: [String: File]
    private let obstacle: Obstacle?

    /// Without files.
    package init() { self.init([:], obstacle: nil) }

    init(_ files: [String: File], obstacle: Obstacle?) {
        self.files = files
        self.obstacle = obstacle
    }

    /// The bytes of a file in the request.
    package func contents(of path: String) throws(FileError) -> [UInt8] {
        if let file = self.files[path] { return try file.contents.get() }
        guard let obstacle = self.obstacle else { throw .system(SystemError("open", ENOENT)) }
        throw obstacle.path == path ? obstacle.error : .behind(obstacle.path)
    }

    /// The stamps of all files that were reached.
    package var stamps: [String: FileStamp?] { self.files.mapValues(\.stamp) }
}
