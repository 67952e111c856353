internal import Admission
internal import ControlPlane
internal import HTTP1

/// A request about one room of a backend.
public struct RoomOrder: Equatable, Sendable {
    /// What is to be done.
    public enum Action: Equatable, Sendable {
        case show
        case forget
        /// - excluded: the id of a session that does not get it.
        case publish(payload: [UInt8], contentType: String?, key: String?, excluded: String?)
    }

    let backend: String
    let room: RoomName
    let action: Action

    /// - Parameter parts: the backend, and the room, as the path has them.
    init(_ action: Action, _ parts: AdminRoute.Parts) throws(AdminResponse) {
        guard let backend = RoomName(encoded: parts[0]) else { throw .error(404, "there is no such backend") }
        guard let room = RoomName(encoded: parts[1]) else {
            throw .error(400, "a room's name has 1 to \(RoomName.mostBytes) bytes of UTF-8")
        }
        self.backend = backend.text
        self.room = room
        self.action = action
    }

    init(publishing request: AdminRequest, _ parts: AdminRoute.Parts) throws(AdminResponse) {
        let keys = request.fields.values("Idempotency-Key")
        guard keys.count <= 1, keys.allSatisfy({ (1...PublishRequest.longestKey).contains($0.utf8.count) }) else {
            throw .error(400, "an Idempotency-Key has 1 to \(PublishRequest.longestKey) bytes")
        }
        try self.init(
            .publish(
                payload: request.body, contentType: request.fields.first("Content-Type"), key: keys.first,
                excluded: request.fields.first("X-Exclude-Session")), parts)
    }
}

extension RoomQuery {
    init(_ request: AdminRequest) throws(AdminResponse) {
        let parameters = try AdminParameters(of: request, names: ["backend", "limit", "after"])
        self.init()
        self.backend = try parameters.text("backend")
        if let limit = try parameters.number("limit", in: 1...1000) { self.limit = limit }
        if let after = try parameters.text("after") {
            guard let position = Position(after) else { throw .error(400, "`after` is the `next` of the page before") }
            self.after = position
        }
    }
}
