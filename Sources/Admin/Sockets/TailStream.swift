internal import DataPlane
internal import Observability
internal import Sessions
internal import WebSocketProtocol

/// What one WebSocket is told of a tail. What the client is too slow for waits in the tail, which is bounded, and which counts what it has
/// no room for.
final class TailStream: SocketFeed {
    private unowned let control: any GatewayControl
    /// `nil` until it is in force.
    private var tail: Tail?
    /// `nil` until the 101 is sent.
    private weak var socket: AdminSocket?
    /// What was not offered to the client yet, from `next` on.
    private var waiting: [Tail.News] = []
    private var next = 0
    /// How many news that were told are kept, at most, before they are removed from `waiting`.
    private static let mostTold = 1024

    init(_ control: any GatewayControl) { self.control = control }

    /// Begins the tail.
    ///
    /// - Parameter answer: gets whether it is in force; if not, there is no such session or route.
    func begin(_ selection: TailSelection, showsPayloads: Bool, answer: @escaping (Bool) -> Void) {
        self.control.beginTail(selection, showsPayloads: showsPayloads) { [weak self] news in
            self?.waiting += news
            self?.hasRoom()
        } answer: { tail in
            self.tail = tail
            answer(tail != nil)
        }
    }

    /// The client gets its 101 next.
    func open(on socket: AdminSocket) { self.socket = socket }

    func hasRoom() {
        guard let socket = self.socket, let tail = self.tail else { return }
        while self.next < self.waiting.count {
            switch self.waiting[self.next] {
            case .frame(let frame):
                guard socket.takesMore, socket.offer(JSONText.line(of: frame)) else { return }
                tail.release(frame.footprint)
            case .skipped(let count): guard socket.offer(JSONText.line(skipped: count)) else { return }
            case .ended:
                guard self.takeSkipped(by: tail) else { return socket.close(.normal, reason: self.end(tail.selection)) }
                continue
            }
            self.next += 1
            if self.next == self.waiting.count { _ = self.takeSkipped(by: tail) }
            if self.next > Self.mostTold { self.forgetTold() }
        }
        self.forgetTold()
    }

    /// How the session ended, as the Close says it.
    private func end(_ selection: TailSelection) -> String {
        guard case .session(let id) = selection, let close = self.control.lastClose(of: id) else {
            return "session ended"
        }
        return "session ended: \(close.summary)"
    }

    /// Frames that were left out behind the last one are told next, without waiting for another. Returns whether there are any.
    private func takeSkipped(by tail: Tail) -> Bool {
        let skipped = tail.takeSkipped()
        if skipped > 0 { self.waiting.insert(.skipped(skipped), at: self.next) }
        return skipped > 0
    }

    private func forgetTold() {
        self.waiting.removeFirst(self.next)
        self.next = 0
    }

    func ended() {
        if let tail = self.tail { self.control.endTail(tail) }
        self.tail = nil
        self.waiting = []
        self.next = 0
    }
}
