internal import Admission
public import DataPlane
internal import HTTP1

/// A question for a page of the rooms.
public struct RoomQuery: Equatable, Sendable {
    /// A place in the order of rooms: by backend, then by name.
    public struct Position: Equatable, Comparable, Sendable {
        let backend: String
        let room: String

        /// The order of the pages.
        public static func < (a: Position, b: Position) -> Bool { (a.backend, a.room) < (b.backend, b.room) }

        /// The name of the position, for the next question: hexadecimal digits, which mean the same in a URL.
        public var text: String {
            "\(self.backend)\n\(self.room)".utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }

        /// Reads what `text` writes.
        public init?(_ text: String) {
            let digits = text.utf8.compactMap(\.hexadecimalValue)
            guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
            let bytes = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
            // A backend's name has no end of a line.
            let parts = String(decoding: bytes, as: UTF8.self).split(separator: "\n", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            self.backend = String(parts[0])
            self.room = String(parts[1])
        }

        init(backend: String, room: String) {
            self.backend = backend
            self.room = room
        }
    }

    /// Only the rooms of this one; `nil`: of all.
    public var backend: String?
    /// The page begins behind it; `nil`: with the first.
    public var after: Position?
    /// The most rows.
    public var limit = 100

    /// The first page of all rooms.
    public init() {}
}

/// A page of the rooms.
public struct RoomPage: Sendable {
    /// A room.
    public struct Row: Sendable {
        /// Its backend's name.
        public let backend: String
        /// What is known of it.
        public let facts: RoomFacts
        /// Messages a second.
        public let rate: Double
    }

    /// In their order.
    public var rows: [Row] = []
    /// How many rooms there are, on all pages.
    public var total = 0
    /// Where the next page begins; `nil`: there is none.
    public var next: RoomQuery.Position?

    /// - Parameters:
    ///   - desks: of the backends that are asked for.
    ///   - earlier: by backend and room, how many messages there were `seconds` ago.
    init(_ desks: [RoomDesk], _ query: RoomQuery, earlier: [[RoomName: UInt64]], seconds: Double) {
        var all: [(position: RoomQuery.Position, row: Row)] = []
        for (desk, earlier) in zip(desks, earlier) {
            for facts in desk.facts {
                self.total += 1
                let position = RoomQuery.Position(backend: desk.backend, room: facts.name.text)
                if let after = query.after, position <= after { continue }
                let before = min(earlier[facts.name] ?? 0, facts.messages)
                let rate = seconds > 0 ? Double(facts.messages - before) / seconds : 0
                all.append((position, Row(backend: desk.backend, facts: facts, rate: rate)))
            }
        }
        all.sort { $0.position < $1.position }
        self.rows = all.prefix(query.limit).map(\.row)
        self.next = all.count > query.limit ? all[query.limit - 1].position : nil
    }
}
