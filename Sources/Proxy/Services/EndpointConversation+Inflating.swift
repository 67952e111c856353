internal import DequeModule
internal import EventLoop
internal import WebSocketProtocol

/// Compressed messages (RFC 7692): a little input can be a lot of output, so that a session inflates no more in a turn than is fair,
/// and no more than whoever gets it takes. What has to wait is kept as it came.
extension EndpointConversation {
    /// Goes on with what had to wait, and then with reading.
    func catchUp() {
        self.readBacklog()
        // "Later" may have come in the same turn still.
        if !self.backlog.isEmpty, !self.isFull { self.client?.readAgainLater() }
        if self.backlog.isEmpty, !self.isHeldBack { self.session.resume(.client) }
    }

    func readBacklog() {
        guard !self.isReading else { return }
        self.isReading = true
        while !self.backlog.isEmpty, !self.mustWait || !self.closing.isOpen {
            let unread = self.backlog.removeFirst()
            guard self.closing.reads(from: .client) else { continue }
            self.read(self.session.worker.buffers.place(unread.bytes.span), from: unread.part)
        }
        self.isReading = false
        self.countMemory()
    }

    /// Tells the session what is kept now of what the client sent.
    func countMemory() {
        self.session.assembles(self.backlog.memory + self.assembledMemory + (self.compression?.lentMemory ?? 0))
    }

    func pauseIfTooMuchWaits() {
        if self.isHeldBack || self.backlog.memory > self.mostWaiting { self.client?.pause() }
    }

    /// Goes on with what was taken apart while a read was looked at: it comes before what is read next.
    func readWhatWasPutBack() {
        self.readBacklog()
        guard !self.backlog.isEmpty else { return }
        self.pauseIfTooMuchWaits()
        if !self.isFull { self.client?.readAgainLater() }
    }

    // MARK: - Messages that are kept as they came

    /// Keeps a part of a compressed message that is not whole: a little of it can inflate to a lot. Once all of it is here, it is put back
    /// in front of what follows.
    ///
    /// - Parameters:
    ///   - part: lies in the plaintext buffer, unmasked.
    ///   - end: of what was read.
    /// - Returns: whether the rest of what was read was put back, too.
    func shelve(_ part: FrameReader.DataPart, end: Int) -> Bool {
        let buffers = self.session.worker.buffers
        let plaintext = buffers.plaintext
        self.shelf.append(plaintext.span.extracting(part.range))
        guard part.isFinal else {
            self.shelved(part)
            return false
        }
        let bytes = self.shelf
        self.shelf = []
        if part.range.upperBound < end {
            self.backlog.prepend(Unread(bytes: buffers.copy(part.range.upperBound..<end), part: nil))
        }
        var end = bytes.count
        repeat {
            let start = max(0, end - WorkerBuffers.readSize)
            var piece = part
            piece.range = 0..<(end - start)
            piece.isFirst = start == 0
            piece.isFinal = end == bytes.count
            self.backlog.prepend(Unread(bytes: [UInt8](copying: bytes.span.extracting(start..<end)), part: piece))
            end = start
        } while end > 0
        return true
    }

    // MARK: - Inflating

    /// The reader's own limit has slack where there is compression.
    func isWithinLimit(_ part: FrameReader.DataPart) -> Bool {
        guard self.compression != nil, self.maximumMessage > 0 else { return true }
        let length = (part.isFirst ? 0 : self.messageLength) + part.range.count
        self.messageLength = length
        guard length + self.reader.remainingInFrame <= self.maximumMessage else {
            self.fail(.messageTooBig)
            return false
        }
        return true
    }

    /// Whether the session has had its share of this turn, or whoever gets what the client says has enough of it.
    private var mustWait: Bool {
        let turn = self.session.worker.loop.turns
        if self.inflated.turn != turn { self.inflated = (turn, 0) }
        return self.inflated.count >= Self.mostInflatedPerTurn || self.isFull
    }

    /// Passes on what a part of a compressed message inflates to, a buffer at a time.
    ///
    /// - Parameter end: of what was read.
    /// - Returns: false if the rest has to wait.
    func inflate(_ part: FrameReader.DataPart, end: Int) -> Bool {
        guard let compression = self.compression else { return true }
        let buffers = self.session.worker.buffers
        let plaintext = buffers.plaintext
        let inflated = buffers.inflated
        let headroom = WorkerBuffers.headroom
        let inflater = compression.takeInflater(maximumMessage: self.maximumMessage)
        var taken = 0
        while self.closing.isOpen {
            guard !self.mustWait else {
                let rest = part.range.lowerBound + taken
                var unread = Unread(bytes: buffers.copy(rest..<end), part: part)
                unread.part?.range = 0..<(part.range.upperBound - rest)
                self.backlog.prepend(unread)
                self.pauseIfTooMuchWaits()
                if !self.isFull { self.client?.readAgainLater() }
                return false
            }
            var buffer = inflated.mutableSpan
            var room = buffer._mutatingExtracting(headroom..<inflated.count)
            let input = plaintext.span.extracting(part.range)
            switch inflater.inflate(input, at: &taken, isFinal: part.isFinal, into: &room) {
            case .violation(let violation): self.fail(violation)
            case .more(let count): self.received(count, of: part, isFinal: false)
            case .end(let count):
                if part.isFinal { compression.giveBack(inflater) }
                self.received(count, of: part, isFinal: part.isFinal)
                return true
            }
        }
        return true
    }

    /// The next `count` bytes of a compressed message are in the buffer for them.
    private func received(_ count: Int, of part: FrameReader.DataPart, isFinal: Bool) {
        guard count > 0 || isFinal else { return }
        self.inflated.count += count
        let start = WorkerBuffers.headroom
        let piece = FrameReader.DataPart(
            messageOpcode: part.messageOpcode, range: start..<(start + count), maskingKey: nil,
            isFirst: self.isAtFirstPiece, isFinal: isFinal, isCompressed: false)
        self.isAtFirstPiece = isFinal
        self.received(piece, in: self.session.worker.buffers.inflated)
    }
}

/// What a client said and nobody looked at yet.
struct Unread {
    var bytes: [UInt8]
    /// What the bytes begin with, if not with the rest of a frame: payload of a compressed message, unmasked.
    var part: FrameReader.DataPart?
}

/// What waits to be looked at, in order.
struct Backlog {
    private var items: Deque<Unread> = []
    /// What that takes of memory, in bytes.
    private(set) var memory = 0

    var isEmpty: Bool { self.items.isEmpty }

    mutating func append(_ unread: Unread) {
        self.memory += unread.memory
        self.items.append(unread)
    }

    mutating func prepend(_ unread: Unread) {
        self.memory += unread.memory
        self.items.prepend(unread)
    }

    mutating func removeFirst() -> Unread {
        let first = self.items.removeFirst()
        self.memory -= first.memory
        return first
    }
}

extension Unread {
    /// What it takes, its place included.
    fileprivate var memory: Int { self.bytes.capacity + 128 }
}
