internal import Glibc

/// Collects the small sends of one turn of a loop and makes them at its end, with one system call. If many sessions send at the
/// same time, this saves a tenth of the cost of a message, most of which is in the kernel.
///
/// Sends are staged only in a turn with several events, and never longer than the turn. Staged bytes count as sent: call `flush`
/// before anything that must come after them. Each sender is staged once, so that nothing overtakes what a socket did not take.
public final class SendBatch {
    private struct Staged {
        let sender: any Sender
        let socket: Int32
        var range: Range<Int>
    }

    private enum Ring {
        case unopened
        case open(SendRing)
        case refused
    }

    /// The most bytes that one sender stages. Copying more costs as much as a system call.
    public static let mostBytes = 4 << 10
    /// The most sends at once: as many as events in a batch.
    private static let capacity = 256
    /// The most bytes at once: 1 KiB each for `capacity` sends.
    private static let room = 256 << 10
    /// With fewer events or fewer sends, each send is made on its own, which is cheaper and sooner.
    private static let fewest = 4

    private let bytes = ReadBuffer(count: SendBatch.room)
    private var results = [Int32](repeating: 0, count: SendBatch.capacity)
    private var used = 0
    private var staged: [Staged] = []
    private var isGathering = false
    // Opened with the first send, by the thread that sends.
    private var ring = Ring.unopened

    init() { self.staged.reserveCapacity(Self.capacity) }

    /// A turn with so many events begins.
    func begin(events: Int) { self.isGathering = events >= SyscallFaults.batched(from: Self.fewest) }

    /// So many sends are about to be staged, whatever the number of events.
    public func expect(sends: Int) {
        if sends >= Self.fewest { self.isGathering = true }
    }

    /// The turn ends: sends what is staged.
    func end() {
        self.isGathering = false
        if !self.staged.isEmpty { self.flush() }
    }

    /// Stages a copy of `bytes` for `socket`. Returns false if they should be sent now instead.
    ///
    /// - Parameter sender: has nothing staged yet. It is called after the flush.
    public func stage(_ bytes: Span<UInt8>, for socket: Int32, _ sender: any Sender) -> Bool {
        guard self.isGathering, bytes.count <= Self.mostBytes else { return false }
        if self.staged.count == Self.capacity || self.used + bytes.count > Self.room { self.flush() }
        let range = self.used..<(self.used + bytes.count)
        self.bytes.replace(at: range.lowerBound, with: bytes)
        self.used = range.upperBound
        self.staged.append(Staged(sender: sender, socket: socket, range: range))
        return true
    }

    /// Adds `bytes` to what `sender` has staged. Returns false if another sender has staged since, or there are too many bytes:
    /// then `flush`, and stage again.
    public func extend(_ bytes: Span<UInt8>, _ sender: any Sender) -> Bool {
        let last = self.staged.count - 1
        guard last >= 0, self.staged[last].sender === sender else { return false }
        let range = self.staged[last].range
        guard range.count + bytes.count <= Self.mostBytes, self.used + bytes.count <= Self.room else { return false }
        self.bytes.replace(at: range.upperBound, with: bytes)
        self.used += bytes.count
        self.staged[last].range = range.lowerBound..<self.used
        return true
    }

    /// Sends everything that is staged.
    public func flush() {
        guard !self.staged.isEmpty else { return }
        let isSent = self.sendTogether()
        let bytes = self.bytes
        for index in self.staged.indices {
            let result = isSent ? Int(self.results[index]) : 0
            let rest = bytes.span.extracting(self.staged[index].range).extracting(droppingFirst: max(0, result))
            self.staged[index].sender.sent(
                allBut: rest, failure: result < 0 ? SystemError("send", Int32(-result)) : nil)
        }
        self.staged.removeAll(keepingCapacity: true)
        self.used = 0
    }

    /// Returns false if there is no ring or too little to send. The senders then send themselves.
    private func sendTogether() -> Bool {
        let fewest = SyscallFaults.batched(from: Self.fewest)
        guard self.staged.count >= fewest, let ring = self.openRing() else { return false }
        let works = ring.send(
            self.staged.count, of: self.bytes, { (self.staged[$0].socket, self.staged[$0].range) },
            results: &self.results)
        if !works { self.ring = .refused }
        return true
    }

    private func openRing() -> SendRing? {
        if case .unopened = self.ring {
            self.ring = SendRing(capacity: Self.capacity).map { .open($0) } ?? .refused
        }
        guard case .open(let ring) = self.ring else { return nil }
        return ring
    }
}

extension SendBatch {
    /// An object that stages bytes in a `SendBatch`.
    public protocol Sender: AnyObject {
        /// Called after a flush. Other senders have not been called yet: this one may send, but not stage or flush.
        ///
        /// - Parameters:
        ///   - rest: was not accepted. The socket may be full or not: sending again tells.
        ///   - failure: why nothing was sent, if so.
        func sent(allBut rest: Span<UInt8>, failure: SystemError?)
    }
}
