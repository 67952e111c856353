internal import Sessions

/// A takeover as the running gateway sees it, without sockets.
struct PredecessorSide {
    enum Action: Equatable {
        /// Send every listener with its sockets.
        case offer
        /// The successor serves: stop accepting. It goes on listening at the addresses it adopted.
        case release(adopted: Set<String>)
        /// Say why there will be no takeover, and end the connection.
        case refuse(TakeoverError)
    }

    private enum Phase {
        case greeting
        case offered
        case over
    }

    private static let mostListeners = 4096

    private var phase = Phase.greeting
    private var reader = TakeoverMessage.Reader()
    private var adopted: Set<String> = []

    /// What to do about bytes of the successor.
    mutating func received(_ bytes: some Sequence<UInt8>) -> [Action] {
        self.reader.append(bytes)
        var actions: [Action] = []
        do throws(TakeoverError) {
            while self.phase != .over, let message = try self.reader.next() {
                if let action = try self.received(message) { actions.append(action) }
            }
        } catch {
            self.phase = .over
            actions.append(.refuse(error))
        }
        return actions
    }

    private mutating func received(_ message: TakeoverMessage) throws(TakeoverError) -> Action? {
        switch (self.phase, message) {
        case (.greeting, .hello(let version)):
            guard version == TakeoverMessage.version else { throw .otherVersion(version) }
            self.phase = .offered
            return .offer
        case (.offered, .adopted(let address)):
            guard self.adopted.count < Self.mostListeners else { throw .tooMany }
            self.adopted.insert(address)
            return nil
        case (.offered, .ready):
            self.phase = .over
            return .release(adopted: self.adopted)
        default:
            throw .unexpected
        }
    }
}

/// A takeover as the new gateway sees it. The descriptors in it are plain numbers, which are whoever's to close that gave them.
struct SuccessorSide {
    /// One listener of the predecessor.
    struct Offered: Equatable {
        let address: String
        var sockets: [Int32]
    }

    enum Phase: Equatable {
        /// Not all listeners came yet.
        case waiting
        case offered
        /// The predecessor accepts no more.
        case released
        /// The predecessor will not be taken over, and carries on.
        case refused(String)
    }

    private static let mostListeners = 4096

    private(set) var phase = Phase.waiting
    private(set) var listeners: [Offered] = []
    /// Came, and were not accounted for yet.
    private(set) var unclaimed: [Int32] = []
    private var reader = TakeoverMessage.Reader()

    /// What it says first.
    static var greeting: [UInt8] { TakeoverMessage.hello(version: TakeoverMessage.version).bytes }

    /// What it says when it serves.
    static func ready(adopted: [String]) -> [UInt8] {
        adopted.flatMap { TakeoverMessage.adopted($0).bytes } + TakeoverMessage.ready.bytes
    }

    /// Takes in what the predecessor says.
    ///
    /// - Throws: what is wrong with it. All descriptors are still among `listeners` or `unclaimed`.
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
        case (.offered, .released):
            self.phase = .released
        default:
            throw .unexpected
        }
    }
}
