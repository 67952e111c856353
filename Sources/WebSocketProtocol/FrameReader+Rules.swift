extension FrameReader {
    /// What the sender may do. Limits are inclusive, and 0 is no limit.
    package struct Rules: Hashable, Sendable {
        /// True for a client's frames, false for a server's (RFC 6455 section 5.1).
        package var expectsMask: Bool
        /// Whether RSV1 may be set on the first frame of a data message (RFC 7692 section 6).
        package var allowsCompression: Bool
        /// Payload bytes in a message, as on the wire.
        package var maximumMessage: Int
        /// Frames in a message; empty ones count.
        package var maximumFragments: Int

        package init(
            expectsMask: Bool, allowsCompression: Bool = false, maximumMessage: Int = 0, maximumFragments: Int = 0
        ) {
            self.expectsMask = expectsMask
            self.allowsCompression = allowsCompression
            self.maximumMessage = maximumMessage
            self.maximumFragments = maximumFragments
        }
    }
}
