internal import CLinux
internal import Glibc

/// Sends to many sockets with one system call (io_uring).
///
/// For one thread: the one that opens it.
@safe final class SendRing {
    private let ring: OpaquePointer

    /// Nil where the system has none for us: before Linux 6.1, or where it is not allowed.
    ///
    /// - Parameter capacity: the most sends at once; a power of two.
    init?(capacity: Int) {
        guard !SyscallFaults.refusesRings else { return nil }
        guard let ring = unsafe gateway_send_ring_open(UInt32(capacity)) else { return nil }
        unsafe self.ring = ring
    }

    deinit {
        // Opened in `init`, and nobody else has it.
        unsafe gateway_send_ring_close(self.ring)
    }

    /// Sends pieces of `buffer`, in order. None of it waits.
    ///
    /// - Parameters:
    ///   - count: how many, at most the capacity.
    ///   - piece: the socket and the place in `buffer` of each.
    ///   - results: at least `count`; gets for each how many bytes were taken, or an error number, negative. 0: send it again to know.
    /// - Returns: false if the ring does not work any more. The results are good.
    func send(
        _ count: Int, of buffer: ReadBuffer, _ piece: (Int) -> (socket: Int32, range: Range<Int>),
        results: inout [Int32]
    ) -> Bool {
        precondition(count <= results.count)
        // The kernel is done with the pieces, which are in bounds as `extracting` checks, when the second call returns; there are
        // `count` results.
        return unsafe buffer.span.withUnsafeBufferPointer { bytes in
            for index in 0..<count {
                let (socket, range) = piece(index)
                let slice = bytes.extracting(range)
                let length = SyscallFaults.capped(range.count)
                unsafe gateway_send_ring_add(self.ring, socket, slice.baseAddress, UInt32(length))
            }
            return unsafe gateway_send_ring_submit(self.ring, &results) == 0
        }
    }
}
