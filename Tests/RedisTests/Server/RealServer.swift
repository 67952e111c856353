import Foundation
import System
import TestSupport

/// A `redis-server` of the system, on a Unix socket of its own, or at a loopback port with TLS.
final class RealServer {
    static let isInstalled = FileManager.default.isExecutableFile(atPath: RealServer.program)
    private static let program = "/usr/bin/redis-server"

    private struct DoesNotStart: Error {
        let said: String
    }

    let folder: String
    let socket: String
    private let arguments: [String]
    private var process: Process?

    /// - Parameter arguments: further ones, such as `--databases`, `4`.
    init(_ arguments: [String] = []) throws {
        self.folder = temporaryPath(".redis")
        self.socket = self.folder + "/redis.sock"
        self.arguments = arguments
        try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
        try self.start()
    }

    /// Starts it, and waits until it says that it is ready.
    func start() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments =
            ["--port", "0", "--unixsocket", self.socket, "--dir", self.folder, "--save", "", "--daemonize", "no"]
            + self.arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        self.process = process
        var said = ""
        while !said.contains("eady to accept connections") {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw DoesNotStart(said: said) }
            said += String(decoding: data, as: UTF8.self)
        }
        // What it says later must not fill the pipe.
        output.fileHandleForReading.readabilityHandler = { handle in
            if handle.availableData.isEmpty { handle.readabilityHandler = nil }
        }
    }

    func send(_ signal: Int32) {
        if let process = self.process { kill(process.processIdentifier, signal) }
    }

    /// Kills it, and waits for its end.
    func stop() {
        self.send(SIGKILL)
        self.process?.waitUntilExit()
        self.process = nil
    }

    func end() {
        self.stop()
        try? FileManager.default.removeItem(atPath: self.folder)
    }

    /// What redis-cli prints for a command of an administrator.
    @discardableResult
    func order(_ words: String...) throws -> String { try self.order(all: words) }

    func order(all words: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/redis-cli")
        process.arguments = ["-s", self.socket] + words
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
    }
}
