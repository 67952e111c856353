/// Where a client is in its frames.
struct ClientPlace {
    /// How many bytes of the frame in progress are still to come.
    let remaining: Int
    /// The beginning of the next header or control frame.
    let held: [UInt8]
}
