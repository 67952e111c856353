internal import Configuration

/// The name of a broadcast room: what the `*` of a route's path stands for, percent-decoded once, so that a room is the same by every route.
public struct RoomName: Hashable, Sendable {
    /// In UTF-8, and decoded.
    public static let mostBytes = 256

    /// 1 to `mostBytes` bytes.
    public let text: String

    /// `nil`: it is empty, too long, or not UTF-8.
    ///
    /// - Parameter encoded: part of a path. A `%` without two hexadecimal digits stands for itself.
    public init?(encoded: Substring) {
        let bytes = RequestTarget.decoded(encoded)
        guard (1...Self.mostBytes).contains(bytes.count), let text = String(validating: bytes, as: UTF8.self) else {
            return nil
        }
        self.text = text
    }

    /// The room of a request that came by a route with this path; by an exact one, the path without its first slash.
    ///
    /// - Throws: the answer to a request for something that is no name.
    init(of target: RequestTarget, on path: PathPattern, routeIndex: Int) throws(Refusal) {
        let prefix =
            switch path {
            case .exact: 1
            case .subtree(let prefix): prefix.utf8.count
            }
        guard let name = RoomName(encoded: Substring(target.path.utf8.dropFirst(prefix))) else {
            throw Refusal(
                400, "The room's name is bad: it has to be 1 to 256 bytes of UTF-8.",
                routeIndex: routeIndex)
        }
        self = name
    }
}
