internal import Glibc

/// The files of a folder, or one file, as they were when they were read.
public struct FolderContents: Sendable {
    /// One file.
    public struct Member: Sendable {
        /// The path of the folder, a slash and its name; or the path that was read.
        public let path: String
        /// Its bytes, or why they could not be read.
        public let contents: Result<[UInt8], FileError>
    }

    /// Identifies a state of all the files.
    public struct Stamps: Equatable, Sendable {
        fileprivate struct Stamp: Equatable {
            let path: String
            let stamp: FileStamp?
        }

        fileprivate let path: String
        fileprivate let stamps: [Stamp]
    }

    /// In the order of their names, byte by byte. Those with a dot first are not among them.
    public let members: [Member]
    /// Taken before the files were read.
    public let stamps: Stamps
}

extension FileReader.Access {
    /// Reads a file, or the files of a folder. Folders in it are not looked into. Blocks.
    ///
    /// - Parameters:
    ///   - path: of the file or the folder, links followed. What is not there is a file that cannot be read.
    ///   - known: the state that is of no interest.
    /// - Returns: `nil` if it is in that state.
    func contents(of path: String, unless known: FolderContents.Stamps?) -> FolderContents? {
        let (paths, stamps) = self.look(at: path)
        return stamps == known ? nil : self.contents(of: paths, stamps)
    }

    /// The same, in whatever state it is.
    public func contents(of path: String) -> FolderContents {
        let (paths, stamps) = self.look(at: path)
        return self.contents(of: paths, stamps)
    }

    private func look(at path: String) -> (paths: Result<[String], FileError>, FolderContents.Stamps) {
        do throws(FileError) {
            let paths = try self.names(path)?.map { "\(path)/\($0)" } ?? [path]
            return (.success(paths), .init(path: path, stamps: paths.map { .init(path: $0, stamp: self.stamp($0)) }))
        } catch {
            return (.failure(error), .init(path: path, stamps: []))
        }
    }

    private func contents(of paths: Result<[String], FileError>, _ stamps: FolderContents.Stamps) -> FolderContents {
        let members =
            switch paths {
            case .failure(let error): [FolderContents.Member(path: stamps.path, contents: .failure(error))]
            case .success(let paths):
                paths.map { path in
                    FolderContents.Member(path: path, contents: Result { () throws(FileError) in try self.read(path) })
                }
            }
        return FolderContents(members: members, stamps: stamps)
    }

    /// The names in a folder, sorted byte by byte, without those that begin with a dot; `nil` if the path leads to something else, or to
    /// nothing. Blocks.
    @Sendable public static func names(in path: String) throws(FileError) -> [String]? {
        guard let stream = unsafe opendir(path) else {
            guard errno == ENOTDIR || errno == ENOENT else { throw .system(.last("opendir")) }
            return nil
        }
        // Sound: the stream is open until this function returns, and nothing else uses it.
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            // Sound: the entry is valid until the next call, and its name ends with NUL.
            guard let entry = unsafe readdir(stream) else { break }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe String(cString: UnsafeRawPointer(name).assumingMemoryBound(to: CChar.self))
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        guard errno == 0 else { throw .system(.last("readdir")) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
