internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// What has to wait because the session's share of the turn is used up or its receiver takes no more. It is kept as it came: a little
/// compressed input can be a lot of output (RFC 7692).
extension ServedSession {
    /// Where reading stopped.
    struct Stop {
        /// A position in the worker's plaintext buffer.
        var position: Int
        /// The data part that begins there; `nil` if a frame does.
        var part: FrameReader.DataPart?
        /// A message that was kept as it came and is whole now: read it before the rest.
        var whole: Unread?
    }

    /// How many waiting bytes are read at a time: few enough that copying them again is cheap if little of them is used.
    private static let portion = 16 << 10

    /// Whether what waits is compressed and its receiver takes no more for now.
    var isStuck: Bool { self.isFull && self.backlog.first?.beginsWithPart == true }

    /// Whether the client is read although something still waits.
    var mayReadOn: Bool {
        !self.isHeldBack && (self.backlog.isEmpty || (self.isStuck && self.backlog.memory <= self.mostWaiting))
    }

    /// Tells the session how much of the client's messages is kept now.
    func countMemory() {
        guard !self.reader.isAtMessageBoundary || !self.backlog.isEmpty || self.session.memory.assembled > 0 else {
            return
        }
        let lent = self.compression?.lentMemory ?? 0
        self.session.assembles(self.backlog.memory + self.shelf.capacity + self.assembledMemory + lent)
    }

    /// Reads what had to wait, then reads on.
    func catchUp() {
        self.readBacklog()
        self.settle()
        guard self.mayReadOn else { return }
        if self.loop.budget.isShareSpent {
            self.client.readAgainLater()
        } else {
            self.session.resume(.client)
        }
    }

    func readBacklog() {
        guard !self.isReading else { return }
        let buffers = self.buffers
        while let unread = self.backlog.first, !self.mustWait, !self.isOpenAndStuck {
            guard self.listens else { return self.backlog.removeAll() }
            let (range, part) = unread.next(atMost: Self.portion)
            let place = buffers.place(unread.bytes.span.extracting(range))
            let stop = self.read(place, from: part)
            let count = (stop?.position ?? place.upperBound) - place.lowerBound
            let plaintext = buffers.plaintext
            let payload = plaintext.span.extracting(stop?.part?.range ?? 0..<0)
            self.backlog.advance(by: count, to: stop?.part, payload)
            if let whole = stop?.whole { self.backlog.prepend(whole) }
        }
    }

    /// A closing session only looks for a Close.
    private var isOpenAndStuck: Bool { self.isOpen && self.isStuck }

    // MARK: - Compressed messages

    /// Keeps a part of an incomplete compressed message as it came.
    ///
    /// - Returns: the message, if it is whole now.
    func shelve(_ part: FrameReader.DataPart) -> Unread? {
        let plaintext = self.plaintext
        self.shelf.append(plaintext.span.extracting(part.range))
        guard part.isFinal else {
            self.shelved(part)
            return nil
        }
        var whole = part
        whole.range = 0..<self.shelf.count
        defer { self.shelf = [] }
        return Unread(self.shelf, part: whole)
    }

    // MARK: - Inflating

    /// Checks the limit on messages exactly: with compression, the reader's own limit has slack.
    func isWithinLimit(_ part: FrameReader.DataPart) -> Bool {
        guard let compression = self.compression, self.maximumMessage > 0 else { return true }
        let length = (part.isFirst ? 0 : compression.plainLength) + part.range.count
        compression.plainLength = length
        guard length + self.reader.remainingInFrame <= self.maximumMessage else {
            self.fail(.messageTooBig, size: length + self.reader.remainingInFrame)
            return false
        }
        return true
    }

    /// The least room for inflating at a time, in bytes.
    private static let leastInflated = 4 << 10

    /// Inflates a part of a compressed message and passes it on, a buffer at a time, as far as the session's share of the turn allows.
    ///
    /// - Returns: where it stopped, if the rest has to wait.
    func inflate(_ part: FrameReader.DataPart) -> Stop? {
        guard let compression = self.compression else { return nil }
        let buffers = self.buffers
        let loop = self.loop
        let plaintext = buffers.plaintext
        let inflated = buffers.inflated
        let headroom = ConnectionBuffers.headroom
        let inflater = compression.takeInflater(maximumMessage: self.maximumMessage)
        loop.budget.spend(Work.compression)
        var taken = 0
        while self.isOpen {
            guard !self.mustWait, !self.isFull || !self.isOpen else {
                var rest = part
                rest.range = (part.range.lowerBound + taken)..<part.range.upperBound
                return Stop(position: rest.range.lowerBound, part: rest)
            }
            var buffer = inflated.mutableSpan
            let most = max(Self.leastInflated, Work.inflatable(for: loop.budget.shareLeft))
            var room = buffer._mutatingExtracting(headroom..<min(headroom + most, inflated.count))
            let input = plaintext.span.extracting(part.range)
            switch inflater.inflate(input, at: &taken, isFinal: part.isFinal, into: &room) {
            case .violation(let violation): self.fail(violation)
            case .more(let count): self.received(count, of: part, isFinal: false)
            case .end(let count):
                if part.isFinal { compression.giveBack(inflater) }
                self.received(count, of: part, isFinal: part.isFinal)
                return nil
            }
        }
        return nil
    }

    /// The next `count` bytes of a compressed message were inflated.
    private func received(_ count: Int, of part: FrameReader.DataPart, isFinal: Bool) {
        guard count > 0 || isFinal else { return }
        self.loop.budget.spend(Work.inflated(count))
        let start = ConnectionBuffers.headroom
        let piece = FrameReader.DataPart(
            messageOpcode: part.messageOpcode, range: start..<(start + count), maskingKey: nil,
            isFirst: self.isAtFirstPiece, isFinal: isFinal, isCompressed: false)
        self.isAtFirstPiece = isFinal
        if self.isTailed { self.session.tailed?.inflated(piece, in: self.buffers.inflated) }
        self.received(piece, in: self.buffers.inflated)
    }
}
