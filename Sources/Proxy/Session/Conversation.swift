internal import WebSocketProtocol

/// What a session does once its opening handshake is complete: relay, bridge, or serve. Owns the protocol state of both legs;
/// the session owns their connections.
protocol Conversation: AnyObject {
    /// The phase that the session is in while this goes on.
    var phase: Phase { get }
    var closing: ClosingHandshake { get }
    /// What came from each leg so far.
    var tally: PerLeg<MessageTally> { get }
    /// More on the cause of the end.
    var detail: String? { get }

    /// The client has its 101.
    func begin()
    /// `range` of the worker's plaintext buffer came from `leg`. There are `WorkerBuffers.headroom` bytes of room before it.
    func received(_ range: Range<Int>, from leg: Leg)
    /// `leg`'s TCP has ended.
    ///
    /// - Parameter failure: a reset or another error; `nil` is an orderly end.
    func ended(_ leg: Leg, failure: String?)
    /// `leg` has taken enough of what it was sent to be sent more.
    func drained(_ leg: Leg)
    /// The client's transport asked to be called again in this turn of the loop.
    func continued()
    /// The gateway ends the session.
    func close(_ ending: Ending)
    /// The timer that the conversation set has fired.
    func timerFired()
}

extension Conversation {
    func continued() {}
}
