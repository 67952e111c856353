/// The running gateway's side of a takeover, without sockets.
struct PredecessorSide {
    enum Action: Equatable {
        /// Send every listener with its sockets.
        case offer
        /// The successor serves, so stop accepting. It goes on listening at the addresses in `adopted`.
        case release(adopted: Set<String>)
        /// Tell the successor why there is no takeover, and end the connection.
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

    /// Takes bytes from the successor. Returns what to do, in this order.
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
