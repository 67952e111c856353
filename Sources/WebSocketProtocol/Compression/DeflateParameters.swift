/// What client and server agreed on for `permessage-deflate` (RFC 7692 section 7.1), and the memory that it takes.
public struct DeflateParameters: Hashable, Sendable {
    /// How one side compresses what it sends.
    public struct Direction: Hashable, Sendable {
        /// The base-2 logarithm of the window's size in bytes, 8 to 15.
        var windowBits: Int
        /// Whether a message may refer to those before it ("context takeover").
        public var keepsContext: Bool

        /// By default zlib's largest window, 32 KiB. Other bits than 8 to 15 are a mistake that ends the process.
        public init(windowBits: Int = 15, keepsContext: Bool = true) {
            precondition((8...15).contains(windowBits), "window bits are 8 to 15")
            self.windowBits = windowBits
            self.keepsContext = keepsContext
        }

        /// What zlib needs to inflate, window included, in bytes.
        public var inflateMemory: Int { 8 << 10 + 1 << self.windowBits }

        /// What zlib needs to deflate with `memoryLevel`, in bytes.
        var deflateMemory: Int { 6 << 10 + 1 << (self.compressorBits + 2) + 1 << (self.memoryLevel + 9) }

        /// zlib cannot compress raw DEFLATE with 8 bits. With 9 it looks back at most 250 bytes (512 less its look-ahead of
        /// 262), which fits a window of 8 bits.
        var compressorBits: Int { max(9, self.windowBits) }

        /// As much memory for hashing as for the window. For the largest window this is 8, zlib's default.
        var memoryLevel: Int { self.compressorBits - 7 }
    }

    /// What the server sends.
    public var server: Direction
    /// What the client sends.
    public var client: Direction

    /// By default the largest windows, and context kept on both sides.
    init(server: Direction = Direction(), client: Direction = Direction()) {
        self.server = server
        self.client = client
    }
}
