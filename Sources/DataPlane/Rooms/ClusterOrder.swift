internal import Admission
internal import Configuration
internal import Sessions
internal import TLS
internal import WebSocketProtocol

/// What other threads ask of the one that has the rooms at the server (`ClusterRooms`).
enum ClusterOrder: Sendable {
    /// A room of a backend, with members or without.
    struct Place: Sendable {
        let rooms: BackendRooms
        let room: RoomName
        let history: BackendSettings.History?

        /// - Parameter history: what the backend remembers; `nil`: nothing.
        init(_ room: RoomName, of rooms: BackendRooms, _ history: BackendSettings.History?) {
            self.rooms = rooms
            self.room = room
            self.history = history
        }
    }

    /// A message that is published by HTTP.
    struct Publication: Sendable {
        let message: Message
        let key: String?
        let excluded: SessionID?
        /// Gets the answer; `nil`: it is not known to be published.
        let answer: @Sendable (Published?) -> Void
    }

    /// The server is this one from now on; `nil`: there is none, and rooms are in memory. Rooms that have members already go there.
    case use(ClusterSettings?, TLSClientSettings?, [(rooms: BackendRooms, history: BackendSettings.History?)])
    /// A session wants to be a member. Its worker is among those that get the room's posts.
    case join(RoomLedger, SessionID, worker: Int, RoomRequest.Start, BackendSettings.History?)
    /// The room has no members any more.
    case vacated(RoomLedger)
    case post(RoomLedger, RoomMessages, RoomSender, BackendSettings.History?)
    case publish(Publication, to: Place)
    /// Gets what the server remembers of the room: the position of its last message, and messages up to it. `nil`: there is no answer.
    case show(Place, answer: @Sendable (RoomHistories.Recovery?) -> Void)
    /// Gets whether something was forgotten; `nil`: there is no answer.
    case forget(Place, answer: @Sendable (Bool?) -> Void)
    case stop
}
