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

    @Test func `a folder is known while it counts, and lives as long again`() throws {
        let place = try Place()
        let folders = Folders()
        let now = MonotonicInstant.now()
        #expect(folders.known(place.folder, at: now) == nil)
        weak let first = try folders.folder(place.folder, at: now)
        #expect(folders.known(place.folder, at: now + .milliseconds(999)) === first)
        #expect(folders.known(place.folder, at: now + .seconds(1)) == nil)
        _ = try folders.folder(place.folder, at: now + .milliseconds(1999))
        #expect(first != nil)
        _ = try folders.folder(place.folder, at: now + .seconds(4))
        #expect(first == nil)
    }

    // MARK: - What is cached

    /// The file, if its folder's file system is one of those that can be asked without waiting.
    private func openCached(_ name: String, in place: Place) throws -> OpenFile.Opening? {
        let folder = try Folder(place.folder)
        guard folder.cached != .none else {
            #expect(throws: NotCached.self) { try folder.openCached(Array(name.utf8)) }
            return nil
        }
        return try folder.openCached(Array(name.utf8))
    }

    /// Sets when a file was last read: `seconds` after now.
    private func setAccess(of name: String, in place: Place, secondsFromNow seconds: Int) {
        var times = utimbuf(actime: time(nil) + seconds, modtime: 1000)
        #expect(unsafe utime(place.folder + "/" + name, &times) == 0)
    }

    private func readCached(_ file: OpenFile, at offset: Int = 0, count: Int) throws -> String {
        let buffer = ReadBuffer(count: 16)
        let got = try file.readCached(at: offset, into: buffer, from: 3, count: count)
        return String(decoding: buffer.copy(3..<(3 + got)), as: UTF8.self)
    }

    @Test func `a cached file is opened and read without waiting`() throws {
        let place = try Place()
        self.setAccess(of: "a", in: place, secondsFromNow: 60)
        guard let opening = try self.openCached("a", in: place) else { return }
        guard case .file(let file) = opening else { return #expect(Bool(false)) }
        #expect(file.facts.size == 2)
        #expect(try self.readCached(file, count: 2) == "aa")
        #expect(try self.readCached(file, at: 1, count: 9) == "a")
        // Its end is for `read` to find.
        #expect(throws: NotCached.self) { try self.readCached(file, at: 2, count: 1) }
    }

    @Test func `pages that are not in memory are not read`() throws {
        let place = try Place()
        self.setAccess(of: "a", in: place, secondsFromNow: 60)
        guard let opening = try self.openCached("a", in: place) else { return }
        guard case .file(let file) = opening else { return #expect(Bool(false)) }
        let descriptor = unsafe Glibc.open(place.folder + "/a", O_RDONLY)
        defer { Glibc.close(descriptor) }
        #expect(fsync(descriptor) == 0)
        // Pages that were just read may stay at first.
        var isRead = true
        for _ in 0..<1000 where isRead {
            #expect(posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0)
            do { _ = try self.readCached(file, count: 2) } catch is NotCached { isRead = false }
        }
        #expect(!isRead)
        #expect(try file.read(at: 0, count: 2) == Array("aa".utf8))
        #expect(try self.readCached(file, count: 2) == "aa")
    }

    @Test func `a file whose read would be noted is not read, nor one that a thread has opened`() throws {
        let place = try Place()
        let folder = try Folder(place.folder)
        guard case .file(let other) = folder.open(Array("a".utf8)) else { return #expect(Bool(false)) }
        #expect(throws: NotCached.self) { try self.readCached(other, count: 2) }
        self.setAccess(of: "a", in: place, secondsFromNow: -2 * 24 * 60 * 60)
        guard folder.cached == .unnoted else { return }
        guard case .file(let file) = try folder.openCached(Array("a".utf8)) else { return #expect(Bool(false)) }
        #expect(throws: NotCached.self) { try self.readCached(file, count: 2) }
    }

    @Test func `a name that the kernel does not know is not absent`() throws {
        let place = try Place()
        guard try self.openCached("a", in: place) != nil else { return }
        #expect(throws: NotCached.self) { try self.openCached("no", in: place) }
        #expect(self.isAbsent(try place.open("no")))
        #expect(self.isAbsent(try #require(try self.openCached("no", in: place))))
        // Nor is one behind a link that leads out, or to another file system: `open` tells them apart.
        place.link("out", to: "../secret")
        #expect(self.isAbsent(try place.open("out")))
        #expect(throws: NotCached.self) { try self.openCached("out", in: place) }
    }

    @Test func `a file system that may ask others is never asked for what is cached`() throws {
        let folder = try Folder("/proc/self")
        #expect(folder.cached == .none)
        guard case .file = folder.open(Array("status".utf8)) else { return #expect(Bool(false)) }
        #expect(throws: NotCached.self) { try folder.openCached(Array("status".utf8)) }
    }

    @Test(
        arguments: [
            // seconds of access, modification, change, now; whether a read is noted
            (100, 90, 90, 100, false), (100, 100, 90, 100, true), (100, 90, 100, 100, true), (100, 101, 90, 100, true),
            (100, 90, 90, 86_339, false), (100, 90, 90, 86_440, true), (200, 90, 90, 100, false),
        ])
    func `a read is noted after a change, and after a day`(times: (Int, Int, Int, Int, Bool)) {
        let isNoted = OpenFile.isReadNoted(
            accessed: .seconds(times.0), modified: .seconds(times.1), changed: .seconds(times.2), now: .seconds(times.3)
        )
        #expect(isNoted == times.4)
    }
}
