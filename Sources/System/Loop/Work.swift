/// What a worker's steps cost, in units of `WorkBudget`: about nanoseconds of a release build. The figures are rough on purpose: a step
/// counts as much as a peer can make it cost.
///
/// Measured on x86-64 with 2 busy cores (`gateway_loop_turn_seconds`): with 50 clients that sent messages of 0 and 1 bytes to an echo,
/// with and without TLS, nine in ten of the turns that used the whole budget of 2,000,000 units took 1 to 2.5 ms. With posts of 16 KiB
/// to a room of 400, a share of 250,000 units took 0.05 to 0.1 ms.
public enum Work {
    /// A `recv` and the `send` that follows it, of any size.
    public static let read = 3_000
    /// A TLS record without data. The dearest is a KeyUpdate: it derives two keys.
    public static let recordWithoutData = 20_000
    /// Accepting a connection and making its objects.
    public static let connection = 15_000
    /// Reading a request and admitting or refusing it.
    public static let admission = 30_000
    /// Verifying a credential: the dearest is a signature of a long RSA key.
    public static let verification = 100_000
    /// The rest of an opening handshake, from admission to the 101.
    public static let opening = 40_000
    /// The end of a session: two sockets, a log line, and freeing its memory.
    public static let ending = 50_000
    /// A frame that a relay cannot skip: a control frame, a fragment, or any frame that ends at the gateway.
    public static let frame = 100
    /// A frame that a relay skips after reading its header.
    public static let passedFrame = 15
    /// A small message to a client that is gathered with others.
    public static let message = 100
    /// A send of its own: one system call.
    public static let send = 2_000
    /// A send to one member of a room: a system call or a share of one, and libssl's work over TLS.
    public static let delivery = 2_000
    /// Deflating or inflating a message of any size.
    public static let compression = 4_000

    /// Making a session's zlib streams: about 300 KiB that the kernel has to provide and zlib clears.
    public static let streams = 200_000

    /// The framing of a body that is passed on: chunks, and bytes that are not data.
    public static func framing(chunks: Int, bytes: Int) -> Int { chunks * 150 + self.head(bytes) }
    /// `count` bytes of a request head.
    public static func head(_ count: Int) -> Int { count * 5 }
    /// `count` bytes that came in and are forwarded or sent back. Half of this is enough if the peer reads; if it does not, the kernel has
    /// to provide memory.
    public static func bytes(_ count: Int, tls: Bool) -> Int { tls ? count * 2 : count }
    /// `count` bytes that a socket did not accept, and that are queued.
    public static func queued(_ count: Int) -> Int { count }
    /// `count` bytes of an inflater's output.
    public static func inflated(_ count: Int) -> Int { count * self.inflatedByte }
    /// How many bytes an inflater may output for `units`.
    public static func inflatable(for units: Int) -> Int { units / self.inflatedByte }
    private static let inflatedByte = 4
    /// `count` bytes of a deflater's input.
    public static func deflated(_ count: Int) -> Int { count * 20 }
}
