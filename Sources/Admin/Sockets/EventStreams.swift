internal import ControlPlane

/// All listeners at `/api/events`. Each message is made once for all of them, and without them the gateway is not listened to.
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
        case .logged(let text): for stream in streams { stream.tell(text) }
        case .summary(let point):
            let text = JSONText.summary(point)
            for stream in streams { stream.tell(text) }
        case .skipped(let count): for stream in streams { stream.skip(count) }
        }
    }
}
