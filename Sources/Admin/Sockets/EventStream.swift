/// What one WebSocket is told of events. Those that it is too slow for are left out and counted.
final class EventStream: SocketFeed {
    /// They end all of them before they are released.
    private unowned let streams: EventStreams
    private unowned let socket: AdminSocket
    /// How many messages were left out since the client was told.
    private var skipped = 0

    init(_ socket: AdminSocket, among streams: EventStreams) {
        self.socket = socket
        self.streams = streams
    }

    /// - Parameter text: a JSON object.
    func tell(_ text: [UInt8]) {
        self.hasRoom()
        if self.skipped > 0 || !self.socket.offer(text) { self.skipped += 1 }
    }

    /// - Parameter count: how many there was no room for before.
    func skip(_ count: Int) {
        self.skipped += count
        self.hasRoom()
    }

    func hasRoom() {
        if self.skipped > 0, self.socket.offer(JSONText.skipped(self.skipped)) { self.skipped = 0 }
    }

    func ended() { self.streams.ended(self) }
}
