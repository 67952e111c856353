internal import Configuration
internal import HTTP1

/// What the request of a room's member asks for.
public struct RoomRequest: Equatable, Sendable {
    /// Where history begins for a member.
    public enum Start: Equatable, Sendable {
        /// With the next message.
        case now
        /// `since`: behind this one, the last that the client saw.
        case since(epoch: String, offset: Int)
        /// `last`: with so many old ones.
        case last(Int)
    }

    /// The room to join.
    public let name: RoomName
    /// Where it begins.
    public let start: Start
    /// Each message begins with a line that says what it is: the subprotocol `meta.gateway`.
    public let hasLines: Bool

    /// The subprotocol in which each message begins with a line.
    static let subprotocol = "meta.gateway"

    /// - Parameter subprotocol: the one that was picked.
    /// - Throws: the answer to a request that names no room, or no place in its history.
    init(_ request: CheckedRequest, subprotocol: String?, on path: PathPattern, routeIndex: Int) throws(Refusal) {
        self.name = try RoomName(of: request.target, on: path, routeIndex: routeIndex)
        self.hasLines = subprotocol == Self.subprotocol
        self.start = try Self.start(request.target, routeIndex)
    }

    /// A member without lines.
    init(_ name: RoomName, from start: Start = .now) {
        self.name = name
        self.start = start
        self.hasLines = false
    }

    private static func start(_ target: RequestTarget, _ index: Int) throws(Refusal) -> Start {
        if let since = try self.parameter("since", of: target, index) {
            guard let start = Start(position: since) else {
                throw Refusal(400, "The parameter since is bad.", cure: "Write since=EPOCH:OFFSET.", routeIndex: index)
            }
            return start
        }
        guard let last = try self.parameter("last", of: target, index) else { return .now }
        guard let count = Start.number(last[...]) else {
            throw Refusal(400, "The parameter last is bad.", cure: "Write last=NUMBER.", routeIndex: index)
        }
        return .last(count)
    }

    private static func parameter(
        _ name: String, of target: RequestTarget, _ index: Int
    ) throws(Refusal) -> String? {
        let values = target.parameters(name)
        guard values.count <= 1 else {
            throw Refusal(400, "A parameter is repeated: since or last.", routeIndex: index)
        }
        return values.first
    }
}

extension RoomRequest.Start {
    /// A place that is in no history.
    static let unknown = Self.since(epoch: "", offset: 0)

    /// Reads `EPOCH:OFFSET`; `nil` for anything else.
    init?(position text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.allSatisfy({ $0.isLetter || $0.isDigit }),
            let offset = Self.number(parts[1])
        else { return nil }
        self = .since(epoch: String(parts[0]), offset: offset)
    }

    /// Decimal digits alone, as a number; `nil` for anything else.
    static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy(\.isDigit) ? Int(text) : nil
    }
}
