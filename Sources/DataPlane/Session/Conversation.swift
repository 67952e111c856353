internal import Sessions
internal import WebSocketProtocol

/// What a session does once its opening handshake is complete: relay, bridge, or serve. Owns the protocol state of both legs;
/// the session owns their connections.
protocol Conversation: AnyObject {
    /// What came from each leg so far, as far as the other leg's socket has taken it.
    var tally: PerLeg<MessageTally> { get }
    /// Where the frames of both sides stand.
    var places: ClosingHandshake.Places { get }

    /// A message of the client's waits for room to be begun.
    var waitsToBegin: Bool { get }

    /// The client has its 101.
    func begin()
    /// `range` of the worker's plaintext buffer came from `leg`. There are `ConnectionBuffers.headroom` bytes of room before it.
    func received(_ range: Range<Int>, from leg: Leg)
    /// Something happened to a leg's connection, and the closing handshake is about to hear of it: what is kept of what came before, and can
    /// go on, goes on.
    func prepare(for event: ClosingHandshake.Event)
    /// Sends what was put together: the closing handshake may say something behind it.
    func sendGathered()
    /// The closing handshake was told something. From now on it lets pass what it says.
    func follow(_ closing: ClosingHandshake)
    /// What the closing handshake had to say was sent.
    func hasSaid()
    /// `leg` has taken enough of what it was sent to be sent more.
    func drained(_ leg: Leg)
    /// The client's connection asked to be called again in this turn of the loop.
    func continued()
    /// Sends `leg` a ping, at once or when the frame in progress is whole. A WebSocket leg's only, and only while the session is open.
    func ping(_ leg: Leg)
    /// The time that the conversation asked for (`Session.setTick`) has come.
    func timerFired()
}

extension Conversation {
    var waitsToBegin: Bool { false }

    func prepare(for event: ClosingHandshake.Event) {}
    func sendGathered() {}
    func hasSaid() {}
    func continued() {}
    func timerFired() {}
}
