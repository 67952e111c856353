internal import System

/// Where a configuration is that the command line names, and what it is now.
enum ConfigurationInput {
    /// A file, which can be read again.
    case file(String, FileSet)
    /// What a pipe gave, up to its end, and how messages name it. There is no second time.
    case pipe(name: String, Result<[UInt8], FileError>)

    /// - Parameter text: a path; `-` is standard input. A descriptor that the shell names for us (`/dev/stdin`; `/dev/fd/63`, as
    ///   `<(command)` does) is read itself: to open it anew may be denied.
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

    /// The number of a descriptor that a path stands for.
    private static func descriptor(_ path: String) -> Int32? {
        if path == "/dev/stdin" { return 0 }
        for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
            return Int32(path.dropFirst(folder.count)).flatMap { $0 >= 0 ? $0 : nil }
        }
        return nil
    }
}
