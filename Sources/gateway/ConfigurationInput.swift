internal import System

/// The configuration that the command line names, and its bytes.
enum ConfigurationInput {
    /// A file with its contents. It can be read again.
    case file(String, FileSet)
    /// The name of a pipe in messages, and its bytes up to the end. They cannot be read again.
    case pipe(name: String, Result<[UInt8], FileError>)

    /// - Parameter text: a path, or `-` for standard input. A path of a descriptor of this process (`/dev/stdin`, or `/dev/fd/63` for
    ///   `<(command)`) is not opened, because the kernel may deny that: the descriptor itself is read.
    init(_ text: String) {
        let name = text == "-" ? "/dev/stdin" : text
        guard let descriptor = Self.descriptor(name) else {
            self.init(path: name)
            return
        }
        if let path = FileContents.path(of: descriptor) {
            self.init(path: path)
        } else {
            self = .pipe(name: name, Result { () throws(FileError) in try FileContents.read(descriptor: descriptor) })
        }
    }

    private init(path: String) {
        let files = (try? FileReader.readNow([path], .any)) ?? FileSet()
        let contents = Result { () throws(FileError) in try files.contents(of: path) }
        if case .success = contents, FileContents.isReadOnce(path) {
            self = .pipe(name: path, contents)
        } else {
            self = .file(path, files)
        }
    }

    /// The descriptor that a path names; `nil` if it names none.
    private static func descriptor(_ path: String) -> Int32? {
        if path == "/dev/stdin" { return 0 }
        for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
            return Int32(path.dropFirst(folder.count)).flatMap { $0 >= 0 ? $0 : nil }
        }
        return nil
    }
}
