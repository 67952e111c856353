public import Sessions
internal import System

/// A question for a page of the table of sessions.
public struct SessionQuery: Equatable, Sendable {
    /// The order of the rows. But for ids, the greatest comes first.
    public enum Order: String, CaseIterable, Sendable {
        case id
        case queue = "-queue"
        case roundTripTime = "-rtt"
        case age = "-age"
        case rate = "-rate"
    }

    /// A place in the order, which need not be that of a session that still lives.
    public struct Position: Equatable, Comparable, Sendable {
        /// What is sorted by. Zero in the order of ids.
        let key: Int64
        let id: SessionID

        /// The greatest key comes first; among equal ones the id decides.
        public static func < (a: Position, b: Position) -> Bool {
            (b.key, a.id.number) < (a.key, b.id.number)
        }
    }

    /// What each session had sent and received by an earlier moment, for its rate.
    public struct Earlier: Equatable, Sendable {
        /// Messages in both directions, for each worker.
        public var messages: [[SessionID: UInt64]]
        /// How long ago that was.
        public var ago: Duration

        /// See the properties.
        public init(messages: [[SessionID: UInt64]], ago: Duration) {
            self.messages = messages
            self.ago = ago
        }
    }

    /// The most rows of a page.
    public static let longestPage = 1000

    /// The sessions that the table has.
    public var filter = SessionFilter()
    /// How they are sorted.
    public var order = Order.id
    /// The page begins behind it; `nil`: with the first.
    public var after: Position?
    /// The most rows, from 1 to `longestPage`.
    public var limit = 100
    /// For the order by rate; set before workers are asked.
    public var earlier: Earlier?

    /// The first page of all sessions, by id.
    public init() {}

    /// The name of a position, for the next question.
    public static func text(_ position: Position, in order: Order) -> String {
        order == .id ? position.id.description : "\(position.key):\(position.id)"
    }

    /// Reads what `text` writes.
    public static func position(_ text: String, in order: Order) -> Position? {
        if order == .id { return SessionID(text).map { Position(key: 0, id: $0) } }
        let parts = text.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let key = Int64(parts[0]), let id = SessionID(String(parts[1])) else { return nil }
        return Position(key: key, id: id)
    }

    func position(of session: SessionTraits, worker: Int) -> Position {
        let key: Int64 =
            switch self.order {
            case .id: 0
            case .queue: Int64(session.queued)
            case .roundTripTime: session.roundTripTime.clampedNanoseconds
            // It grows with time, but the beginning stays.
            case .age: -session.began.nanoseconds
            case .rate: self.rate(of: session, worker: worker).map { Int64(($0 * 1000).rounded()) } ?? 0
            }
        return Position(key: key, id: session.id)
    }

    /// Messages a second; `nil` if nothing is known of earlier.
    func rate(of session: SessionTraits, worker: Int) -> Double? {
        guard let earlier = self.earlier, earlier.ago > .zero, earlier.messages.indices.contains(worker) else {
            return nil
        }
        let before = earlier.messages[worker][session.id] ?? 0
        return Double(session.messages - min(before, session.messages)) / earlier.ago.secondsAsDouble
    }
}
