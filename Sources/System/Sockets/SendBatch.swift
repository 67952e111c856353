internal import Glibc

/// Whoever stages bytes in a `SendBatch`.
package protocol StagedSender: AnyObject {
    /// What was staged was sent, as far as it says; nothing is staged any more. Others are still to be told: this may send, but neither
    /// stages nor flushes.
    ///
    /// - Parameters:
    ///   - rest: what was not sent. It is not known that the socket is full: sending again tells.
    ///   - failure: why nothing was.
    func sent(allBut rest: Span<UInt8>, failure: SystemError?)
}

/// Small sends of one turn of a loop, gathered and made with one system call at its end: where many sessions have something to say at the
/// same time, that saves a tenth of what a message costs, most of which is in the kernel.
///
/// It exists in a turn with several events only, and no longer. Bytes that are staged count as sent; whoever does something that has to
/// come after them calls `flush` before. Each sender is in it once, so that nothing can overtake what a socket did not take.
package final class SendBatch {
    private struct Staged {
        let sender: any StagedSender
        let socket: Int32
        var range: Range<Int>
    }

    private enum Ring {
        case unopened
        case open(SendRing)
        case refused
    }

    /// The most bytes that one sender stages. With more, copying them costs what the system call would have.
    package static let mostBytes = 4 << 10
    /// The most sends at once: as many as there are events in a batch.
    private static let capacity = 256
    /// The most bytes at once: 1 KiB each, if all there is room for are staged.
    private static let room = 256 << 10
    /// With fewer events, or fewer sends, each is made on its own: that is cheaper, and sooner.
    private static let fewest = 4

    private let bytes = ReadBuffer(count: SendBatch.room)
    private var results = [Int32](repeating: 0, count: SendBatch.capacity)
    private var used = 0
    private var staged: [Staged] = []
    private var isGathering = false
    // Opened by the thread that sends, and when it first does.
    private var ring = Ring.unopened

    init() { self.staged.reserveCapacity(Self.capacity) }

    /// A turn begins, with that many events.
    func begin(events: Int) { self.isGathering = events >= SyscallFaults.batched(from: Self.fewest) }

    /// So many sends are about to come, whatever the number of events.
    package func expect(sends: Int) {
        if sends >= Self.fewest { self.isGathering = true }
    }

    /// The turn ends: everything is sent.
    func end() {
        self.isGathering = false
        if !self.staged.isEmpty { self.flush() }
    }

    /// Takes a copy of `bytes` for `socket`, to be sent with those of others. False if they are better sent now.
    ///
    /// - Parameter sender: has nothing staged; it will be told.
    package func stage(_ bytes: Span<UInt8>, for socket: Int32, _ sender: any StagedSender) -> Bool {
        guard self.isGathering, bytes.count <= Self.mostBytes else { return false }
        if self.staged.count == Self.capacity || self.used + bytes.count > Self.room { self.flush() }
        let range = self.used..<(self.used + bytes.count)
        self.bytes.replace(at: range.lowerBound, with: bytes)
        self.used = range.upperBound
        self.staged.append(Staged(sender: sender, socket: socket, range: range))
        return true
    }

    /// Adds `bytes` to what `sender` has staged, if nobody else staged anything since and they are few. If not: `flush`, and begin anew.
    package func extend(_ bytes: Span<UInt8>, _ sender: any StagedSender) -> Bool {
        let last = self.staged.count - 1
        guard last >= 0, self.staged[last].sender === sender else { return false }
        let range = self.staged[last].range
        guard range.count + bytes.count <= Self.mostBytes, self.used + bytes.count <= Self.room else { return false }
        self.bytes.replace(at: range.upperBound, with: bytes)
        self.used += bytes.count
        self.staged[last].range = range.lowerBound..<self.used
        return true
    }

    /// Sends everything that is staged, now.
    package func flush() {
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

    /// False if there is no ring, or too little to send: senders will do it.
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
