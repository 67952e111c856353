internal import Connections
internal import Sessions
internal import System
internal import WebSocketProtocol

/// What has to wait, because the session's share of the turn is used up or whoever gets it takes no more: it is kept as it came. With
/// compressed messages (RFC 7692) a little input can be a lot of output.
extension ServedSession {
    /// Where reading stopped.
    struct Stop {
        /// In the worker's plaintext buffer.
        var position: Int
        /// What begins there, if it is not a frame.
        var part: FrameReader.DataPart?
        /// A message that was kept as it came and is whole now: it is to be looked at before the rest.
        var whole: Unread?
    }

    /// How much of what waits is looked at at a time: small enough not to be copied over and over where little of it is dealt with.
    private static let portion = 16 << 10

    /// What waits is compressed, and whoever gets what it inflates to has enough for now.
    var isStuck: Bool { self.isFull && self.backlog.first?.beginsWithPart == true }

    /// Whether the client is read although something waits.
    var mayReadOn: Bool {
        !self.isHeldBack && (self.backlog.isEmpty || (self.isStuck && self.backlog.memory <= self.mostWaiting))
    }

    /// Tells the session what is kept now of what the client sent.
    func countMemory() {
        guard !self.reader.isAtMessageBoundary || !self.backlog.isEmpty || self.session.memory.assembled > 0 else {
            return
        }
        let lent = self.compression?.lentMemory ?? 0
        self.session.assembles(self.backlog.memory + self.shelf.capacity + self.assembledMemory + lent)
    }

    /// Goes on with what had to wait, and then with reading.
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

    /// A session that closes only looks for a Close.
    private var isOpenAndStuck: Bool { self.isOpen && self.isStuck }

    // MARK: - Messages that are kept as they came

    /// Keeps a part of a compressed message that is not whole: a little of it can inflate to a lot.
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

    /// The reader's own limit has slack where there is compression.
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

    /// The least that is inflated at a time, in bytes.
    private static let leastInflated = 4 << 10

    /// Passes on what a part of a compressed message inflates to, a buffer at a time, or what the session's share of the turn allows.
    ///
    /// - Returns: where it stopped, because the rest has to wait.
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

    /// The next `count` bytes of a compressed message are in the buffer for them.
    private func received(_ count: Int, of part: FrameReader.DataPart, isFinal: Bool) {
        guard count > 0 || isFinal else { return }
        self.loop.budget.spend(Work.inflated(count))
        let start = ConnectionBuffers.headroom
        let piece = FrameReader.DataPart(
            messageOpcode: part.messageOpcode, range: start..<(start + count), maskingKey: nil,
            isFirst: self.isAtFirstPiece, isFinal: isFinal, isCompressed: false)
        self.isAtFirstPiece = isFinal
        self.received(piece, in: self.buffers.inflated)
    }
}
