internal import Glibc

/// The files of a request, with their contents or errors.
public struct FileSet: Sendable {
    /// A file that was reached.
    struct File: Sendable {
        /// Taken before the file was read; `nil` if there was no file.
        let stamp: FileStamp?
        /// Its bytes, or why they could not be read.
        let contents: Result<[UInt8], FileError>
    }

    /// The file at which a request stopped early.
    public struct Obstacle: Error, Equatable, Sendable, CustomStringConvertible {
        /// The path of the file.
        let path: String
        /// Why it could not be read.
        public let error: FileError

        /// `PATH: reason`.
        public var description: String { "\(self.path): \(self.error)" }
    }

    private let files: [String: File]
    private let obstacle: Obstacle?

    /// Without files.
    public init() { self.init([:], obstacle: nil) }

    init(_ files: [String: File], obstacle: Obstacle?) {
        self.files = files
        self.obstacle = obstacle
    }

    /// The bytes of a file in the request.
    public func contents(of path: String) throws(FileError) -> [UInt8] {
        if let file = self.files[path] { return try file.contents.get() }
        guard let obstacle = self.obstacle else { throw .system(SystemError("open", ENOENT)) }
        throw obstacle.path == path ? obstacle.error : .behind(obstacle.path)
    }

    /// Whether every file of the request was read.
    public var areAllRead: Bool {
        self.obstacle == nil
            && self.files.values.allSatisfy { file in
                if case .success = file.contents { true } else { false }
            }
    }

    /// The stamps of all files that were reached.
    public var stamps: [String: FileStamp?] { self.files.mapValues(\.stamp) }
}
