public import WebSocketProtocol

/// What comes out of the closing handshake: what to do with each leg.
extension ClosingHandshake {
    /// What to do with one leg: first `say`, then `end`.
    public struct LegAction: Equatable, Sendable {
        /// The Close to send, if any.
        public enum Say: Equatable, Sendable {
            case nothing
            /// Relay the Close that was just received, byte for byte.
            case relayedClose
            /// Send a Close of our own.
            case close(CloseFrame)
        }

        /// What to send before the leg ends.
        public var say = Say.nothing
        /// How the leg ends after that.
        public var end = End.notYet

        /// By default, nothing is done.
        public init(say: Say = .nothing, end: End = .notYet) {
            self.say = say
            self.end = end
        }
    }

    /// How our side of a leg ends, in rising order: a leg only moves to a later one.
    public enum End: Int, Comparable, Sendable {
        case notYet
        /// Send nothing more; the peer is a server and ends the connection first (RFC 6455 section 7.1.1).
        case wait
        /// Shut our side down after everything that is queued.
        case shutDown
        /// Abort once everything is delivered, so that an incomplete stream does not look complete.
        case abortDelivered
        /// Close the connection in order.
        case close
        /// Abort the connection now.
        case abort

        /// Whether `other` takes the place of `one`.
        public static func < (one: End, other: End) -> Bool { one.rawValue < other.rawValue }
    }

    /// What to do with each leg. Do `say` on both legs before `end` on either: an end can end the session.
    public struct Actions: Equatable, Sendable {
        /// What to do with the client's leg.
        public var client = LegAction()
        /// What to do with the backend's leg.
        public var backend = LegAction()

        /// Nothing to do.
        public static let none = Actions()

        /// What to do with `leg`.
        public subscript(leg: Leg) -> LegAction {
            get { leg == .client ? self.client : self.backend }
            _modify {
                switch leg {
                case .client: yield &self.client
                case .backend: yield &self.backend
                }
            }
        }
    }
}
