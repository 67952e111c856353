internal import CZlib

/// A zlib stream that inflates raw DEFLATE (RFC 1951). The input may be cut anywhere. All unsafe code for compression is
/// here and in `DeflateStream`.
@safe final class InflateStream {
    enum Outcome: Equatable {
        /// All input was taken, and all of its output written.
        case needsInput
        /// The room is full, and there may be more output.
        case needsRoom
        /// A block marked as the last one has ended. There may be more input.
        case ended
        case corrupt
    }

    // Allocated and initialised in `init`, freed in `deinit`, and never shared. zlib keeps the address, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter windowBits: 8 to 15.
    init(windowBits: Int) {
        precondition((8...15).contains(windowBits), "zlib has windows of 8 to 15 bits")
        unsafe self.stream = .allocate(capacity: 1)
        unsafe self.stream.initialize(to: z_stream())
        // Sound: the stream is all zeros, as zlib requires (no input yet, memory from malloc). Negative bits mean raw DEFLATE.
        let status = unsafe CZlib_inflateInit2(self.stream, -Int32(windowBits))
        precondition(status == Z_OK, "out of memory")
    }

    deinit {
        // Sound: the initialised stream is ended once, then its memory is freed.
        unsafe inflateEnd(self.stream)
        unsafe self.stream.deallocate()
    }

    /// Inflates `input` from `position` on into `output`, and moves `position` past the bytes taken.
    ///
    /// - Returns: how many bytes of `output` were written, and why it stopped.
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
                // Sound: `available` bytes may be read from `start` on, and `room` bytes written; both come from the buffers'
                // counts. zlib does not use the pointers after the call: they are set before each one. Where there is nothing
                // to read or write, zlib still requires an address, and any will do.
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
        // Z_BUF_ERROR: no progress was possible without more input or room (zlib.h).
        case Z_OK, Z_BUF_ERROR: return (count, left.room == 0 ? .needsRoom : .needsInput)
        default: return (count, .corrupt)
        }
    }

    /// Whether the input so far ends with a whole block, at the end of a byte.
    var isAtBlockBoundary: Bool {
        // Sound: a field of our own stream. zlib sets it in each call: the low six bits count unused bits, and 128 marks the end
        // of a block.
        let type = unsafe self.stream.pointee.data_type
        return type & 128 != 0 && type & 63 == 0
    }

    /// Begins a new stream.
    ///
    /// - Parameter keepsWindow: the new stream may refer to earlier output.
    func reset(keepsWindow: Bool) {
        // Sound: the stream was initialised, and is in no call.
        if keepsWindow { unsafe inflateResetKeep(self.stream) } else { unsafe inflateReset(self.stream) }
    }
}
