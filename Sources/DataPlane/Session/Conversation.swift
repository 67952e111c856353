internal import Sessions
internal import WebSocketProtocol

/// What a session does after its opening handshake: relay, bridge or serve. The conversation owns the protocol state of both legs; the
/// session owns their connections.
protocol Conversation: AnyObject {
    /// The messages from each leg that the other leg's socket has accepted.
    var tally: PerLeg<MessageTally> { get }
    /// Where both sides are in their frames.
    var places: ClosingHandshake.Places { get }

    /// Whether a message from the client waits for room to begin.
    var waitsToBegin: Bool { get }

    /// Whether it takes more of the client's messages for now.
    var takesMore: Bool { get }

    /// The client has its 101.
    func begin()
    /// `range` of the worker's plaintext buffer came from `leg`. `ConnectionBuffers.headroom` bytes before it are free.
    func received(_ range: Range<Int>, from leg: Leg)
    /// Something happened to a leg's connection, and the closing handshake will be told next: passes on what was kept of earlier bytes.
    func prepare(for event: ClosingHandshake.Event)
    /// Sends gathered bytes, because the closing handshake may send something after them.
    func sendGathered()
    /// The closing handshake has changed: follows what it allows now.
    func follow(_ closing: ClosingHandshake)
    /// What the closing handshake wanted to send was sent.
    func hasSaid()
    /// `leg` has accepted enough of its queue to be sent more.
    func drained(_ leg: Leg)
    /// The client's connection asked to be called again in this turn of the loop.
    func continued()
    /// Sends `leg` a ping, at once or when the frame in progress is whole. Only for a WebSocket leg of an open session.
    func ping(_ leg: Leg)
    /// The time set by `Session.setTick` has come.
    func timerFired()
    /// Where the client is in its frames, so that its messages can be held back from now on. `nil` if that is not known for now: something
    /// that was read waits. The caller has what it holds of a header or a control frame: it is to be given again.
    func takePlace() -> FramePlace?
    /// Where `leg` is in its frames. `nil` if it speaks no WebSocket, or if that is not known for now.
    func place(of leg: Leg) -> FramePlace?
    /// Whether the frames are shown: those that it makes itself, and what it inflates, it shows itself (`Session.tailed`).
    func setTailed(_ isTailed: Bool)
    /// Nothing else holds the client back: passes on what waits of its messages, as far as possible.
    ///
    /// - Returns: whether nothing is left, so that the client may be read again.
    func goOn() -> Bool
}

extension Conversation {
    var waitsToBegin: Bool { false }

    func prepare(for event: ClosingHandshake.Event) {}
    func sendGathered() {}
    func hasSaid() {}
    func continued() {}
    func timerFired() {}
    func goOn() -> Bool { true }
    func setTailed(_ isTailed: Bool) {}
}
