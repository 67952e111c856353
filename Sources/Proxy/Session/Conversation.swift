internal import Sessions
internal import WebSocketProtocol

/// What a session does once its opening handshake is complete: relay, bridge, or serve. Owns the protocol state of both legs;
/// the session owns their connections.
protocol Conversation: AnyObject {
    /// The phase that the session is in while this goes on.
    var phase: Phase { get }
    var closing: ClosingHandshake { get }
    /// What came from each leg so far, as far as the other leg's socket has taken it.
    var tally: PerLeg<MessageTally> { get }
    /// More on the cause of the end.
    var detail: String? { get }

    /// A message of the client's waits for room to be begun.
    var waitsToBegin: Bool { get }

    /// The client has its 101.
    func begin()
    /// `range` of the worker's plaintext buffer came from `leg`. There are `ConnectionBuffers.headroom` bytes of room before it.
    func received(_ range: Range<Int>, from leg: Leg)
    /// Something happened to a leg's connection.
    ///
    /// - Parameter detail: more on it, for the log.
    func happened(_ event: ClosingHandshake.Event, detail: String?)
    /// `leg` has taken enough of what it was sent to be sent more.
    func drained(_ leg: Leg)
    /// The client's connection asked to be called again in this turn of the loop.
    func continued()
    /// Sends `leg` a ping, at once or when the frame in progress is whole. A WebSocket leg's only, and only while the session is open.
    func ping(_ leg: Leg)
    /// The gateway ends the session.
    func close(_ ending: Ending)
    /// The time that the conversation asked for (`Session.setTick`) has come.
    func timerFired()
}

extension Conversation {
    var waitsToBegin: Bool { false }

    func continued() {}
    func timerFired() {}
}
