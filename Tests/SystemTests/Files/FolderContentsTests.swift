import Glibc
import TestSupport
import Testing

@testable import System

@Suite struct FolderContentsTests {
    private static let access = FileReader.Access.system()

    private static func shown(_ contents: FolderContents) -> [String] {
        contents.members.map { member in
            switch member.contents {
            case .success(let bytes): "\(member.path) = \(String(decoding: bytes, as: UTF8.self))"
            case .failure(let error): "\(member.path): \(error)"
            }
        }
    }

    @Test func `files are read by name, but for those with a dot first, and folders in it are not`() throws {
        let folder = temporaryPath("")
        try unsafe #require(mkdir(folder, 0o700) == 0)
        for name in ["b", "a", ".hidden", "B", "a.conf"] { try write("text of \(name)", to: "\(folder)/\(name)") }
        try unsafe #require(mkdir("\(folder)/c", 0o700) == 0)
        defer {
            for name in ["b", "a", ".hidden", "B", "a.conf"] { removeFile("\(folder)/\(name)") }
            _ = unsafe rmdir("\(folder)/c")
            _ = unsafe rmdir(folder)
        }
        let contents = Self.access.contents(of: folder)
        #expect(
            Self.shown(contents) == [
                "\(folder)/B = text of B", "\(folder)/a = text of a", "\(folder)/a.conf = text of a.conf",
                "\(folder)/b = text of b", "\(folder)/c: it is a directory, not a regular file",
            ])
        #expect(Self.access.contents(of: folder, unless: contents.stamps) == nil)
        try write("other text", to: "\(folder)/.hidden")
        #expect(Self.access.contents(of: folder, unless: contents.stamps) == nil)
        removeFile("\(folder)/B")
        #expect(Self.access.contents(of: folder, unless: contents.stamps)?.members.count == 4)
    }

    @Test func `a path that is no folder is one file, also where there is none`() throws {
        let path = temporaryPath("")
        let none = Self.access.contents(of: path)
        #expect(Self.shown(none) == ["\(path): No such file or directory"])
        #expect(Self.access.contents(of: path, unless: none.stamps) == nil)
        try write("text", to: path)
        defer { removeFile(path) }
        #expect(Self.access.contents(of: path, unless: none.stamps).map(Self.shown) == ["\(path) = text"])
    }

    @Test func `a folder that cannot be read is said once`() {
        let access = FileReader.Access(
            read: { _ throws(FileError) in [] },
            names: { _ throws(FileError) in throw .system(SystemError("opendir", EACCES)) })
        let contents = access.contents(of: "/closed")
        #expect(Self.shown(contents) == ["/closed: Permission denied"])
        #expect(access.contents(of: "/closed", unless: contents.stamps) == nil)
    }
}
