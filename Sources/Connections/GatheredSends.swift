public import System

/// Gathers small sends to one connection while the bytes of one read are handled, so that many small messages make one TLS record and
/// one system call.
///
/// It is empty outside of that: the reader flushes it at the end of the read, and before any other send.
public final class GatheredSends {
    /// The payload of one TLS record (RFC 8446 section 5.1).
    private static let room = 16 << 10
    /// The largest send that is worth a copy.
    private static let mostBytes = 4 << 10

    private let loop: EventLoop
    private let bytes = ReadBuffer(count: GatheredSends.room)
    private var used = 0
    private var target: Connection?

    /// Empty; its work counts for `loop`.
    public init(_ loop: EventLoop) { self.loop = loop }

    /// Whether no bytes are gathered.
    public var isEmpty: Bool { self.target == nil }

    /// Whether `count` bytes are few enough to copy.
    public func isWorthwhile(_ count: Int) -> Bool { count <= Self.mostBytes }

    /// Whether `count` bytes can be added for `connection`.
    public func hasRoom(for count: Int, to connection: Connection) -> Bool {
        self.target == nil || (self.target === connection && self.used + count <= Self.room)
    }

    /// Adds `bytes`, for which `hasRoom` was true.
    public func add(_ bytes: Span<UInt8>, to connection: Connection) {
        if self.target == nil { self.target = connection }
        self.bytes.replace(at: self.used, with: bytes)
        self.used += bytes.count
        self.loop.budget.spend(Work.message)
    }

    /// Sends what was gathered.
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
