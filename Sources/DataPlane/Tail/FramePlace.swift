internal import WebSocketProtocol

/// Where a leg is in its frames.
struct FramePlace {
    /// How many bytes of the frame in progress are still to come.
    let remaining: Int
    /// The beginning of the next header or control frame.
    let held: [UInt8]
    /// The kind of the message in progress; `nil` between messages.
    let message: FrameReader.MessageKind?
}
