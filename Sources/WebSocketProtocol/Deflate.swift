internal import CZlib

/// A zlib stream that inflates raw DEFLATE (RFC 1951), which may be cut anywhere. The only unsafe code of compression is in this
/// file.
@safe final class InflateStream {
    enum Outcome: Equatable {
        /// Everything was taken, and everything that it stands for was given.
        case needsInput
        /// There is no more room, and perhaps more output.
        case needsRoom
        /// A block that says it is the last one has ended, maybe before the end of the input.
        case ended
        case corrupt
    }

    // Allocated and initialised in `init`, freed in `deinit`; zlib keeps its address in the stream's state, so it must not move.
    // Nobody else has the pointer.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter windowBits: 8 to 15.
    init(windowBits: Int) {
        precondition((8...15).contains(windowBits), "no window of zlib's")
        unsafe self.stream = .allocate(capacity: 1)
        unsafe self.stream.initialize(to: z_stream())
        // Sound: the stream is all zeros, as zlib demands (no input yet, malloc for memory). Negative bits say raw DEFLATE.
        let status = unsafe CZlib_inflateInit2(self.stream, -Int32(windowBits))
        precondition(status == Z_OK, "out of memory")
    }

    deinit {
        // Sound: a stream that was initialised is ended once, and its memory freed after.
        unsafe inflateEnd(self.stream)
        unsafe self.stream.deallocate()
    }

    /// Inflates `input` from `position` on, which moves past what was taken, into `output`.
    ///
    /// - Returns: how many bytes of `output` were written, and why it stopped there.
    func inflate(
        _ input: Span<UInt8>, at position: inout Int, into output: inout MutableSpan<UInt8>
    ) -> (count: Int, outcome: Outcome) {
        precondition(position >= 0 && position <= input.count, "position outside of the input")
        let available = UInt32(truncatingIfNeeded: min(input.count - position, Int(Int32.max)))
        let room = UInt32(truncatingIfNeeded: min(output.count, Int(Int32.max)))
        var status = Z_OK
        let start = position
        unsafe input.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { output in
                // Sound: `available` bytes may be read from `start` on and `room` bytes written, as computed from the counts of
                // the buffers. zlib moves inside of them, and does not use the pointers after the call: they are set anew
                // before each one. With nothing to read or write any address will do, but zlib wants one.
                var nothing: UInt8 = 0
                unsafe withUnsafeMutablePointer(to: &nothing) { nothing in
                    unsafe self.stream.pointee.next_in = UnsafePointer(nothing)
                    if let base = input.baseAddress { unsafe self.stream.pointee.next_in = base + start }
                    unsafe self.stream.pointee.avail_in = available
                    unsafe self.stream.pointee.next_out = output.baseAddress ?? nothing
                    unsafe self.stream.pointee.avail_out = room
                    status = unsafe CZlib.inflate(self.stream, Z_SYNC_FLUSH)
                    unsafe self.stream.pointee.next_in = nil
                    unsafe self.stream.pointee.next_out = nil
                }
            }
        }
        // Sound: a field of our own stream.
        let left = unsafe (input: self.stream.pointee.avail_in, room: self.stream.pointee.avail_out)
        position += Int(available - left.input)
        let count = Int(room - left.room)
        switch status {
        case Z_STREAM_END: return (count, .ended)
        // Z_BUF_ERROR: nothing could be done, for want of input or of room.
        case Z_OK, Z_BUF_ERROR: return (count, left.room == 0 ? .needsRoom : .needsInput)
        default: return (count, .corrupt)
        }
    }

    /// Whether what was inflated so far ends with a whole block, at the end of a byte.
    var isAtBlockBoundary: Bool {
        // Sound: a field of our own stream. zlib sets it at the end of each call: bits left over in the low six, 128 after a block.
        let type = unsafe self.stream.pointee.data_type
        return type & 128 != 0 && type & 63 == 0
    }

    /// Begins a new stream.
    ///
    /// - Parameter keepsWindow: what was inflated before may still be referred to.
    func reset(keepsWindow: Bool) {
        // Sound: the stream was initialised, and is in no call.
        if keepsWindow { unsafe inflateResetKeep(self.stream) } else { unsafe inflateReset(self.stream) }
    }
}

/// A zlib stream that deflates to raw DEFLATE.
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
        // Sound: a stream that was initialised is ended once, and its memory freed after.
        unsafe deflateEnd(self.stream)
        unsafe self.stream.deallocate()
    }

    /// Appends all of `input`, deflated, to `output`, up to the end of a byte: it ends with an empty block, 00 00 FF FF.
    func append(_ input: Span<UInt8>, to output: inout [UInt8]) {
        var position = 0
        while true {
            let available = min(input.count - position, Int(Int32.max))
            let isLast = available == input.count - position
            let start = output.count
            // More than enough in nearly all cases, so that there is one call. Sound: a stream of ours; it is only read.
            let room = min(unsafe Int(deflateBound(self.stream, UInt(available))) + 16, 1 << 20)
            output.append(contentsOf: repeatElement(0, count: room))
            var left = (input: 0, room: 0)
            unsafe input.withUnsafeBufferPointer { input in
                var span = output.mutableSpan
                unsafe span.withUnsafeMutableBufferPointer { output in
                    // Sound: `available` bytes may be read from `position` on; `room` bytes were just added after `start`, and may
                    // be written. zlib keeps no pointer that it uses later: they are set anew before each call.
                    guard let target = output.baseAddress else { return }
                    unsafe self.stream.pointee.next_in = UnsafePointer(target)
                    if let base = input.baseAddress { unsafe self.stream.pointee.next_in = base + position }
                    unsafe self.stream.pointee.avail_in = UInt32(truncatingIfNeeded: available)
                    unsafe self.stream.pointee.next_out = target + start
                    unsafe self.stream.pointee.avail_out = UInt32(truncatingIfNeeded: room)
                    // It cannot fail: the stream is in order. Z_BUF_ERROR says that there was nothing left to do.
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

    /// Begins a new stream, which refers to nothing before it.
    func reset() {
        // Sound: the stream was initialised, and is in no call.
        unsafe deflateReset(self.stream)
    }
}
