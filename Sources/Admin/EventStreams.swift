internal import ControlPlane
internal import Observability

/// All who listen at `/api/events`. Each message is made once for all of them, and the gateway is listened to only while there are any.
final class EventStreams {
    private unowned let control: any GatewayControl
    private var streams: [ObjectIdentifier: EventStream] = [:]

    init(_ control: any GatewayControl) { self.control = control }

    /// What feeds a socket from now on.
    func add(_ socket: AdminSocket) -> EventStream {
        let stream = EventStream(socket, among: self)
        self.streams[ObjectIdentifier(stream)] = stream
        if self.streams.count == 1 { self.control.listen { [unowned self] in self.tell($0) } }
        return stream
    }

    func ended(_ stream: EventStream) {
        self.streams[ObjectIdentifier(stream)] = nil
        if self.streams.isEmpty { self.control.stopListening() }
    }

    private func tell(_ event: GatewayEvent) {
        let streams = Array(self.streams.values)
        switch event {
        case .logged(let event):
            let text = event.json
            for stream in streams { stream.tell(text) }
        case .summary(let point):
            let text = JSONText.summary(point)
            for stream in streams { stream.tell(text) }
        case .skipped(let count): for stream in streams { stream.skip(count) }
        }
    }
}

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
