internal import CZlib

/// A zlib stream that compresses to raw DEFLATE (RFC 1951).
@safe final class DeflateStream {
    // As in `InflateStream`.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameters:
    ///   - windowBits: 9 to 15; zlib has no raw DEFLATE with 8.
    ///   - memoryLevel: 1 to 9.
    ///   - level: 1 (fast) to 9 (small).
    init(windowBits: Int, memoryLevel: Int, level: Int) {
        precondition((9...15).contains(windowBits) && (1...9).contains(memoryLevel) && (1...9).contains(level))
        unsafe self.stream = .allocate(capacity: 1)
        unsafe self.stream.initialize(to: z_stream())
        // Sound: as in `InflateStream.init`; the parameters are among those zlib takes.
        let status = unsafe CZlib_deflateInit2(self.stream, Int32(level), -Int32(windowBits), Int32(memoryLevel))
        precondition(status == Z_OK, "out of memory")
    }

    deinit {
        // Sound: the initialised stream is ended once, then its memory is freed.
        unsafe deflateEnd(self.stream)
        unsafe self.stream.deallocate()
    }

    /// Appends all of `input`, deflated, to `output`. It ends on a whole byte, with an empty block: 00 00 FF FF.
    func append(_ input: Span<UInt8>, to output: inout [UInt8]) {
        var position = 0
        while true {
            let available = min(input.count - position, Int(Int32.max))
            let isLast = available == input.count - position
            let start = output.count
            // Nearly always enough for a single call. Sound: it only reads our own stream.
            let room = min(unsafe Int(deflateBound(self.stream, UInt(available))) + 16, 1 << 20)
            output.append(contentsOf: repeatElement(0, count: room))
            var left = (input: 0, room: 0)
            unsafe input.withUnsafeBufferPointer { input in
                var span = output.mutableSpan
                unsafe span.withUnsafeMutableBufferPointer { output in
                    // Sound: `available` bytes may be read from `position` on, and the `room` bytes just added after `start` may be
                    // written. zlib does not use the pointers after the call: they are set before each one.
                    guard let target = output.baseAddress else { return }
                    unsafe self.stream.pointee.next_in = UnsafePointer(target)
                    if let base = input.baseAddress { unsafe self.stream.pointee.next_in = base + position }
                    unsafe self.stream.pointee.avail_in = UInt32(truncatingIfNeeded: available)
                    unsafe self.stream.pointee.next_out = target + start
                    unsafe self.stream.pointee.avail_out = UInt32(truncatingIfNeeded: room)
                    // It cannot fail on a valid stream. Z_BUF_ERROR means that there was nothing left to do.
                    _ = unsafe CZlib.deflate(self.stream, isLast ? Z_SYNC_FLUSH : Z_NO_FLUSH)
                    left = unsafe (Int(self.stream.pointee.avail_in), Int(self.stream.pointee.avail_out))
                    unsafe self.stream.pointee.next_in = nil
                    unsafe self.stream.pointee.next_out = nil
                }
            }
            position += available - left.input
            output.removeLast(left.room)
            // A flush is complete when it leaves room (zlib.h, `deflate`).
            if position == input.count && left.room > 0 { return }
        }
    }

    /// Begins a new stream that refers to nothing earlier.
    func reset() {
        // Sound: the stream was initialised, and is in no call.
        unsafe deflateReset(self.stream)
    }
}
