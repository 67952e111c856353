internal import EventLoop
internal import WebSocketProtocol

/// What a session amounted to: one value, made once, when it ends. It makes the `close` line of the log.
struct SessionEnd: Sendable {
    let ending: Ending
    /// The code of the Close that the client sent or was sent; `nil`: none was.
    let code: CloseCode?
    let duration: Duration
    /// Messages and payload bytes that came from each leg.
    let fromClient: MessageTally
    let fromBackend: MessageTally
    /// More on the cause, where there is more to say: a system error, the rule that was broken.
    let detail: String?
}
