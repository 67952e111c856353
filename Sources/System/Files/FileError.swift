/// Why a file was not read.
public enum FileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A system call failed: there is no such file, or no access, or the disk is broken.
    case system(SystemError)
    /// It is something other than a regular file.
    case notRegular(Kind)
    /// It has more bytes than a useful file here can have.
    case tooLarge
    /// Opening or reading it took longer than this.
    case late(Duration)
    /// An earlier read of it has not returned yet.
    case stuck
    /// So many reads of other files have not returned that no more are made.
    case crowded(Int)
    /// The file at this path was to be read first, and was not.
    case behind(String)

    /// The end of a sentence about the file, without its path.
    public var description: String {
        switch self {
        case .system(let error): error.reason
        case .notRegular(let type): "it is \(type), not a regular file"
        case .tooLarge: "it is larger than \(FileContents.limit >> 20) MiB"
        case .late(let limit): "reading it took longer than \(limit.components.seconds) s"
        case .stuck: "an earlier read of it has not returned yet"
        case .crowded(let count): "\(count) reads of other files have not returned yet"
        case .behind(let path): "\(path), which comes first, could not be read"
        }
    }
}

extension FileError {
    /// What a path leads to, once links are followed.
    public enum Kind: Hashable, Sendable, CustomStringConvertible {
        /// An ordinary file, with bytes that can be read again.
        case regular
        /// A folder.
        case directory
        /// A named pipe.
        case fifo
        /// A Unix socket.
        case socket
        /// A character or block device, such as a terminal.
        case device
        /// A kind that the system does not name.
        case other

        /// A noun with its article: `a FIFO`.
        public var description: String {
            switch self {
            case .regular: "a regular file"
            case .directory: "a directory"
            case .fifo: "a FIFO"
            case .socket: "a socket"
            case .device: "a device"
            case .other: "not a file"
            }
        }
    }
}
