internal import Configuration
public import WebSocketProtocol

extension Violation {
    /// What `leg` did, for the log and for the reason of its Close. If it exceeded a configured limit, the key is named.
    ///
    /// - Parameters:
    ///   - size: the bytes of the message that is too big; `nil` if unknown.
    ///   - message: the limit of bytes in a message; 0 is no limit.
    ///   - fragments: the limit of frames in a message.
    public func words(by leg: Leg, size: Int?, message: Int, fragments: Int) -> String {
        let keys = leg == .client ? "limits." : "limits.backend-"
        switch self {
        // Without a configured limit, the arithmetic still has one.
        case .messageTooBig where message == 0: return "message of 2^63 bytes or more"
        case .messageTooBig:
            let what = size.map { "message of \($0) bytes" } ?? "message"
            return "\(what) is over \(keys)message: \(Self.text(message))"
        case .tooManyFragments: return "message has more frames than \(keys)fragments: \(fragments)"
        default: return self.description
        }
    }

    private static func text(_ count: Int) -> String {
        let written = "\(ByteCount.bytes(count))"
        return written == "\(count)" ? "\(count) bytes" : "\(written) (\(count) bytes)"
    }
}
