/// Which part of a room's history is asked for.
public enum RoomQuery: Equatable, Sendable {
    /// No message: the position alone.
    case position
    /// All that came after this.
    case since(RoomPosition)
    /// So many of the newest, or all there are.
    case last(Int)
}
