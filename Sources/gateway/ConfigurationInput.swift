internal import EventLoop

/// Where a configuration is that the command line names.
enum ConfigurationInput {
    /// A file, by its path: what it is now, or later.
    case file(String)
    /// What a pipe gave, up to its end, and how messages name it. There is no second time.
    case pipe(name: String, Result<[UInt8], FileError>)

    /// - Parameter text: a path; `-` is standard input. A descriptor that the shell names for us (`/dev/stdin`; `/dev/fd/63`, as
    ///   `<(command)` does) is read itself: to open it anew may be denied.
    init(_ text: String) {
        let name = text == "-" ? "/dev/stdin" : text
        if let descriptor = Self.descriptor(name) {
            if let path = FileContents.path(of: descriptor) {
                self = .file(path)
            } else {
                self = .pipe(
                    name: name, Result { () throws(FileError) in try FileContents.read(descriptor: descriptor) })
            }
        } else if FileContents.isReadOnce(name) {
            let files = (try? FileReader.readNow([name], .any)) ?? FileSet()
            self = .pipe(name: name, Result { () throws(FileError) in try files.contents(of: name) })
        } else {
            self = .file(name)
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
