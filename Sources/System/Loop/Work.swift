/// What the steps of a worker cost, in the units of `WorkBudget`: about nanoseconds of a release build. They are rough on purpose: a step
/// that is cheap for one peer and dear for another counts as what a peer can make it cost.
///
/// Measured (x86-64, 2 busy cores, `gateway_loop_turn_seconds`): of the turns that used up the budget of 2,000,000 units nine in ten took
/// 1 to 2.5 ms where 50 clients sent messages of 0 and 1 bytes to an echo, without TLS and with it. A share of 250,000 units took 0.05 to
/// 0.1 ms where a room of 400 was sent posts of 16 KiB.
public enum Work {
    /// A `recv` and the `send` that follows it, whatever their size.
    public static let read = 3_000
    /// A TLS record that is no data: a KeyUpdate, which makes two keys.
    public static let recordWithoutData = 20_000
    /// A connection that was accepted, with the objects it needs.
    public static let connection = 15_000
    /// A request that is looked at, and refused or admitted.
    public static let admission = 30_000
    /// The rest of an opening handshake, from there to the 101.
    public static let opening = 40_000
    /// The end of a session: two sockets, a line in the log, and what it held.
    public static let ending = 50_000
    /// A frame whose header is read where it takes more than passing over it: control frames, fragments, and all that end here.
    public static let frame = 100
    /// A frame that a relay passes over.
    public static let passedFrame = 15
    /// A small message to a client, put together with others.
    public static let message = 100
    /// What is sent on its own: a system call.
    public static let send = 2_000
    /// What a member of a room is sent: a system call, or a share of one, and libssl where there is TLS.
    public static let delivery = 2_000
    /// A message that is compressed or inflated, whatever its size.
    public static let compression = 4_000

    /// zlib's streams of a session, some 300 KiB that the kernel has to find and zlib to clear.
    public static let streams = 200_000

    /// Bytes of a request's head.
    public static func head(_ count: Int) -> Int { count * 5 }
    /// Bytes that came in, and go on or come back. Half of it is enough where the peer reads; the kernel has to find memory where it does
    /// not.
    public static func bytes(_ count: Int, tls: Bool) -> Int { tls ? count * 2 : count }
    /// Bytes that a socket did not take, and that are kept.
    public static func queued(_ count: Int) -> Int { count }
    /// Bytes that came out of an inflater.
    public static func inflated(_ count: Int) -> Int { count * self.inflatedByte }
    /// How many bytes an inflater may give for so many units.
    public static func inflatable(for units: Int) -> Int { units / self.inflatedByte }
    private static let inflatedByte = 4
    /// Bytes that went into a deflater.
    public static func deflated(_ count: Int) -> Int { count * 20 }
}
