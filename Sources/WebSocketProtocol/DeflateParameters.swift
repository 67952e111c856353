/// What client and server agreed on for `permessage-deflate` (RFC 7692 section 7.1), and what it costs.
package struct DeflateParameters: Hashable, Sendable {
    /// How one side compresses what it sends.
    package struct Direction: Hashable, Sendable {
        /// The base-2 logarithm of the window's size in bytes, 8 to 15.
        package var windowBits: Int
        /// Whether a message may refer to those before it ("context takeover").
        package var keepsContext: Bool

        package init(windowBits: Int = 15, keepsContext: Bool = true) {
            precondition((8...15).contains(windowBits), "window bits are 8 to 15")
            self.windowBits = windowBits
            self.keepsContext = keepsContext
        }

        /// Bytes that zlib needs to inflate, window included.
        package var inflateMemory: Int { 8 << 10 + 1 << self.windowBits }

        /// Bytes that zlib needs to deflate, with the memory level that belongs to the window.
        package var deflateMemory: Int { 6 << 10 + 1 << (self.compressorBits + 2) + 1 << (self.memoryLevel + 9) }

        /// zlib has no raw DEFLATE with 8 bits. With 9 it looks back at most 250 bytes (512 less its look-ahead of 262), which a
        /// window of 8 bits has.
        var compressorBits: Int { max(9, self.windowBits) }

        /// As much for hashing as for the window: 8 for the largest window, which is zlib's default for it.
        var memoryLevel: Int { self.compressorBits - 7 }
    }

    package var server: Direction
    package var client: Direction

    package init(server: Direction = Direction(), client: Direction = Direction()) {
        self.server = server
        self.client = client
    }
}
