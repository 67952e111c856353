internal import WebSocketProtocol

/// A frame on its way to a tail, while its payload comes. What it holds counts as waiting in the tail.
struct FrameGathering {
    private let tail: Tail
    private var frame: TailedFrame
    /// Whether it and all of its payload so far had room.
    private var fits: Bool

    init(_ frame: TailedFrame, for tail: Tail) {
        self.tail = tail
        self.frame = frame
        self.fits = tail.reserve(frame.footprint)
    }

    /// More of the payload came: keeps as much as is shown.
    mutating func append(_ bytes: Span<UInt8>, _ key: MaskingKey? = nil) {
        guard self.fits, let shown = self.frame.payload?.count else { return }
        let count = min(bytes.count, self.frame.mostKept - shown)
        guard count > 0 else { return }
        guard self.tail.reserve(count) else {
            self.fits = false
            return self.tail.release(self.frame.footprint)
        }
        Masking.appendXored(bytes.extracting(0..<count), with: key, to: &self.frame.payload!)
    }

    /// So many bytes more are in the frame, of which the header says nothing.
    mutating func grow(by count: Int) { self.frame.size += count }

    /// The frame is whole: adds it to `news`, or counts it as skipped.
    func end(_ news: inout [Tail.News]) {
        guard self.fits else { return self.tail.skip() }
        let skipped = self.tail.takeSkipped()
        if skipped > 0 { news.append(.skipped(skipped)) }
        news.append(.frame(self.frame))
    }

    /// The frame will not be whole.
    func leave() { if self.fits { self.tail.release(self.frame.footprint) } }
}
