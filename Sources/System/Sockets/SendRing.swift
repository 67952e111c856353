internal import CLinux
internal import Glibc

/// Sends to many sockets with one system call (io_uring).
///
/// For one thread: the one that opens it.
@safe final class SendRing {
    private let ring: OpaquePointer

    /// `nil` before Linux 6.1, and where it is not allowed.
    ///
    /// - Parameter capacity: the most sends at once. A power of two.
    init?(capacity: Int) {
        guard !SyscallFaults.refusesRings else { return nil }
        guard let ring = unsafe gateway_send_ring_open(UInt32(capacity)) else { return nil }
        unsafe self.ring = ring
    }

    deinit {
        // Opened in `init`, and never shared.
        unsafe gateway_send_ring_close(self.ring)
    }

    /// Sends pieces of `buffer`, in order, without waiting.
    ///
    /// - Parameters:
    ///   - count: the number of pieces, at most the capacity.
    ///   - piece: returns the socket and the range in `buffer` of each.
    ///   - results: has room for at least `count`. Gets for each the number of bytes taken, or a negative error number. After 0 it
    ///     is not known whether the socket is full.
    /// - Returns: false if the ring does not work any more. The results are valid in any case.
    func send(
        _ count: Int, of buffer: ReadBuffer, _ piece: (Int) -> (socket: Int32, range: Range<Int>),
        results: inout [Int32]
    ) -> Bool {
        precondition(count <= results.count)
        // Pieces are in bounds, as `extracting` checks. The kernel is done with them when submit returns. `results` has room.
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
