/// The new gateway's side of a takeover. Descriptors are plain numbers here: the caller closes them.
struct SuccessorSide {
    /// A listener of the predecessor.
    struct Offered: Equatable {
        let address: String
        var sockets: [Int32]
    }

    enum Phase: Equatable {
        /// The offer is not complete.
        case waiting
        /// The offer is complete.
        case offered
        /// The predecessor has stopped accepting.
        case released
        /// The predecessor refuses, for this reason, and carries on.
        case refused(String)
    }

    private static let mostListeners = 4096
    /// With the offer and at the end.
    private static let mostRevoked = 20_000

    private(set) var phase = Phase.waiting
    private(set) var listeners: [Offered] = []
    /// Descriptors that have come without the message that says to which listener they belong.
    private(set) var unclaimed: [Int32] = []
    /// The subjects that the predecessor kept out, and for how many seconds more. One may be there twice.
    private(set) var revoked: [(subject: String, seconds: Int)] = []
    private var reader = TakeoverMessage.Reader()

    /// The first message, with the version of the protocol.
    static var greeting: [UInt8] { TakeoverMessage.hello(version: TakeoverMessage.version).bytes }

    /// The messages that tell the predecessor that this gateway serves at these addresses.
    static func ready(adopted: [String]) -> [UInt8] {
        adopted.flatMap { TakeoverMessage.adopted($0).bytes } + TakeoverMessage.ready.bytes
    }

    /// Takes bytes and descriptors from the predecessor.
    ///
    /// - Throws: the mistake of the predecessor. Every descriptor is in `listeners` or `unclaimed` even then.
    mutating func received(_ bytes: some Sequence<UInt8>, descriptors: [Int32]) throws(TakeoverError) {
        self.unclaimed += descriptors
        self.reader.append(bytes)
        while let message = try self.reader.next() { try self.received(message) }
    }

    private mutating func received(_ message: TakeoverMessage) throws(TakeoverError) {
        switch (self.phase, message) {
        case (.waiting, .refused(let reason)), (.offered, .refused(let reason)):
            self.phase = .refused(reason)
        case (.waiting, .listener(let address)):
            guard self.listeners.count < Self.mostListeners else { throw .tooMany }
            self.listeners.append(Offered(address: address, sockets: []))
        case (.waiting, .sockets(let count)):
            guard !self.listeners.isEmpty, count <= self.unclaimed.count else { throw .unexpected }
            self.listeners[self.listeners.count - 1].sockets += self.unclaimed.prefix(count)
            self.unclaimed.removeFirst(count)
        case (.waiting, .end):
            guard self.unclaimed.isEmpty else { throw .unexpected }
            self.phase = .offered
        case (.waiting, .revoked(let subject, let seconds)), (.offered, .revoked(let subject, let seconds)):
            guard self.revoked.count < Self.mostRevoked else { throw .tooMany }
            self.revoked.append((subject, seconds))
        case (.offered, .released):
            self.phase = .released
        default:
            throw .unexpected
        }
    }
}
