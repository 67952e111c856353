import Glibc
import TestSupport
import Testing

@testable import System

@Suite struct FolderTests {
    /// A folder, and a file beside it.
    private final class Place {
        let path = temporaryPath("")
        var folder: String { self.path + "/www" }

        init() throws {
            for folder in [self.path, self.folder, self.folder + "/sub"] { #expect(unsafe mkdir(folder, 0o755) == 0) }
            for (name, text) in [("/www/a", "aa"), ("/www/sub/b", "b"), ("/secret", "secret")] {
                _ = try OutputFile.appending(to: self.path + name).append(Array(text.utf8))
            }
        }

        func link(_ name: String, to target: String) { #expect(unsafe symlink(target, self.folder + "/" + name) == 0) }

        func open(_ name: String) throws -> OpenFile.Opening { try Folder(self.folder).open(Array(name.utf8)) }

        deinit {
            let names = ["/www/sub/b", "/www/sub", "/www/a", "/www/fifo", "/secret"]
            for name in names + ["in", "out", "absolute", "circle", "up", "process"].map({ "/www/\($0)" }) {
                if unsafe unlink(self.path + name) != 0 { unsafe rmdir(self.path + name) }
            }
            unsafe rmdir(self.folder)
            unsafe rmdir(self.path)
        }
    }

    private func text(_ opening: OpenFile.Opening) throws -> String? {
        guard case .file(let file) = opening else { return nil }
        return String(decoding: try file.read(at: 0, count: file.facts.size), as: UTF8.self)
    }

    private func isAbsent(_ opening: OpenFile.Opening) -> Bool { if case .absent = opening { true } else { false } }

    @Test func `a file below is opened, with what it is like`() throws {
        let place = try Place()
        #expect(try self.text(place.open("a")) == "aa")
        #expect(try self.text(place.open("sub/b")) == "b")
        guard case .file(let file) = try place.open("a") else { return #expect(Bool(false)) }
        #expect(file.facts.size == 2)
        #expect(abs(file.facts.modified - Int64(time(nil))) < 60)
    }

    @Test func `a part is read, and less where the file ends`() throws {
        let place = try Place()
        guard case .file(let file) = try place.open("a") else { return #expect(Bool(false)) }
        #expect(try file.read(at: 1, count: 1) == Array("a".utf8))
        #expect(try file.read(at: 1, count: 9).count == 1)
        #expect(try file.read(at: 5, count: 9).isEmpty)
        file.close()
        #expect(throws: SystemError("pread", EBADF)) { try file.read(at: 0, count: 1) }
    }

    @Test func `no link leads out`() throws {
        let place = try Place()
        place.link("in", to: "sub/../a")
        place.link("out", to: "../secret")
        place.link("absolute", to: place.folder + "/a")
        place.link("circle", to: "circle")
        place.link("up", to: "..")
        place.link("process", to: "/proc/self/exe")
        #expect(try self.text(place.open("in")) == "aa")
        for name in [
            "out", "absolute", "circle", "up", "up/secret", "process", "../secret", "sub/../../secret", "/etc/passwd",
        ] {
            #expect(self.isAbsent(try place.open(name)), "\(name)")
        }
    }

    @Test func `what is no file is absent`() throws {
        let place = try Place()
        #expect(unsafe mkfifo(place.folder + "/fifo", 0o600) == 0)
        for name in ["fifo", "no", "a/", "a/b", String(repeating: "n", count: 300), ""] {
            #expect(self.isAbsent(try place.open(name)), "\(name)")
        }
        guard case .folder = try place.open("sub") else { return #expect(Bool(false)) }
        #expect(throws: SystemError("open", ENOENT)) { try Folder(place.path + "/no") }
        #expect(throws: SystemError("open", ENOTDIR)) { try Folder(place.folder + "/a") }
    }

    @Test func `a folder stays open for a second`() throws {
        let place = try Place()
        let folders = Folders()
        let now = MonotonicInstant.now()
        let first = try folders.folder(place.folder, at: now)
        #expect(try folders.folder(place.folder, at: now + .milliseconds(999)) === first)
        let second = try folders.folder(place.folder, at: now + .seconds(1))
        #expect(second !== first)
        #expect(try folders.folder(place.folder, at: now + .milliseconds(1500)) === second)
    }
}
