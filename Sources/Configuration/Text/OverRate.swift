/// `limits.over-rate`: what becomes of messages beyond `messages-per-second` and `bytes-per-second`.
public enum OverRate: String, CaseIterable, Sendable {
    /// They wait, and the client is not read.
    case delay
    /// The session ends.
    case close
}
