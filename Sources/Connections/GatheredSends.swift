public import System

/// Small sends to one connection, put together while what came in one read is dealt with: many small messages make one TLS record
/// and one system call.
///
/// It holds something only inside of that read: the reader flushes it at the end, and before anything that is said otherwise.
public final class GatheredSends {
    /// What fits into one TLS record (RFC 8446 section 5.1).
    private static let room = 16 << 10
    /// The most bytes of one send that are worth a copy.
    private static let mostBytes = 4 << 10

    private let loop: EventLoop
    private let bytes = ReadBuffer(count: GatheredSends.room)
    private var used = 0
    private var target: Connection?

    public init(_ loop: EventLoop) { self.loop = loop }

    public var isEmpty: Bool { self.target == nil }

    /// Whether that many bytes are few enough to be copied.
    public func isWorthwhile(_ count: Int) -> Bool { count <= Self.mostBytes }

    /// Whether that many bytes can be added for `connection`.
    public func hasRoom(for count: Int, to connection: Connection) -> Bool {
        self.target == nil || (self.target === connection && self.used + count <= Self.room)
    }

    /// Adds what there is room for.
    public func add(_ bytes: Span<UInt8>, to connection: Connection) {
        if self.target == nil { self.target = connection }
        self.bytes.replace(at: self.used, with: bytes)
        self.used += bytes.count
        self.loop.budget.spend(Work.message)
    }

    /// Sends what was put together.
    public func flush() {
        guard let connection = self.target else { return }
        let count = self.used
        self.target = nil
        self.used = 0
        let bytes = self.bytes
        self.loop.budget.spend(Work.send)
        connection.send(bytes.span.extracting(0..<count))
    }
}
