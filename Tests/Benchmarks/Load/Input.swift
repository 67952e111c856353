internal import Glibc
internal import System

/// Standard input, for a run that is told how to continue.
final class Input {
    enum Next {
        case line(String)
        case nothingYet
        case end
    }

    private let client: Client
    private let changed: () -> Void
    private var registration: EventLoop.Registration?
    private var bytes: [UInt8] = []
    private var hasEnded = false

    private static let descriptor: Int32 = 0

    /// - Parameter changed: called when there may be more than before.
    init(client: Client, changed: @escaping () -> Void) {
        self.client = client
        self.changed = changed
        do throws(SystemError) {
            self.registration = try client.loop.addReading(Self.descriptor, self)
        } catch {
            // epoll cannot wait for a file or /dev/null, and need not.
            while !self.hasEnded { self.read() }
        }
    }

    /// Removes and returns the next line.
    func next() -> Next {
        let newline = UInt8(ascii: "\n")
        guard let end = self.bytes.firstIndex(of: newline) else { return self.hasEnded ? .end : .nothingYet }
        let line = String(decoding: self.bytes[..<end], as: UTF8.self)
        self.bytes.removeFirst(end + 1)
        return .line(line)
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        // The kernel writes at most `buffer.count` bytes.
        let count = unsafe Glibc.read(Self.descriptor, &buffer, buffer.count)
        if count > 0 {
            self.bytes += buffer[..<count]
        } else if count == 0 || errno != EINTR && errno != EAGAIN {
            self.hasEnded = true
            // Otherwise the end would be reported forever.
            if let registration = self.registration { self.client.loop.remove(registration, Self.descriptor) }
        }
    }
}

extension Input: ReadinessHandler {
    func ready(_ readiness: Readiness) {
        self.read()
        self.changed()
    }
}
