public import System

/// A message between a running gateway (the predecessor) and the gateway that takes over from it (the successor).
///
/// Encoding: one byte for the kind, two bytes for the length of the text (big-endian), the text in UTF-8. Order: the successor sends
/// `hello`; the predecessor sends each `listener` with its `sockets` and what is `revoked`, then `end`; the successor sends what it
/// `adopted`, then `ready`; the predecessor sends what is `revoked` by then, and `released`. Instead of any of its messages the predecessor may send `refused`.
enum TakeoverMessage: Equatable, Sendable {
    /// The version of the protocol that the successor speaks.
    case hello(version: String)
    /// The configured address of a listener.
    case listener(String)
    /// This message carries so many descriptors, for the `listener` before it.
    case sockets(Int)
    /// There are no more listeners.
    case end
    /// The address of a listener that the successor has too.
    case adopted(String)
    /// The successor serves.
    case ready
    /// The predecessor has stopped accepting.
    case released
    /// The predecessor carries on, for this reason.
    case refused(String)

    /// A subject is kept out for so many seconds more.
    case revoked(String, seconds: Int)

    static let version = "1"
    /// The most bytes of a text. The path of a Unix socket has up to 107, a host name up to 255.
    static let longestText = 1024

    private enum Kind: UInt8 {
        case hello, listener, sockets, end, adopted, ready, released, refused, revoked
    }

    private init?(_ kind: Kind, _ text: String) {
        switch kind {
        case .hello: self = .hello(version: text)
        case .listener: self = .listener(text)
        case .sockets:
            guard let count = Int(text), (1...Kernel.mostDescriptors).contains(count) else { return nil }
            self = .sockets(count)
        case .end where text.isEmpty: self = .end
        case .adopted: self = .adopted(text)
        case .ready where text.isEmpty: self = .ready
        case .released where text.isEmpty: self = .released
        case .refused: self = .refused(text)
        case .revoked:
            let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let seconds = Int(parts[0]), seconds > 0 else { return nil }
            self = .revoked(String(parts[1]), seconds: seconds)
        case .end, .ready, .released: return nil
        }
    }

    /// The encoded message.
    var bytes: [UInt8] {
        let (kind, text): (Kind, String) =
            switch self {
            case .hello(let version): (.hello, version)
            case .listener(let address): (.listener, address)
            case .sockets(let count): (.sockets, String(count))
            case .end: (.end, "")
            case .adopted(let address): (.adopted, address)
            case .ready: (.ready, "")
            case .released: (.released, "")
            case .refused(let reason): (.refused, reason)
            case .revoked(let subject, let seconds): (.revoked, "\(seconds) \(subject)")
            }
        let length = text.utf8.count
        return [kind.rawValue, UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)] + text.utf8
    }

    /// Decodes messages from bytes that come in any pieces.
    struct Reader {
        private var bytes: [UInt8] = []

        mutating func append(_ bytes: some Sequence<UInt8>) { self.bytes += bytes }

        /// The next message; `nil` if it is not complete yet.
        mutating func next() throws(TakeoverError) -> TakeoverMessage? {
            guard let first = self.bytes.first else { return nil }
            guard let kind = Kind(rawValue: first) else { throw .unintelligible }
            guard self.bytes.count >= 3 else { return nil }
            let length = Int(self.bytes[1]) << 8 | Int(self.bytes[2])
            guard length <= TakeoverMessage.longestText else { throw .unintelligible }
            guard self.bytes.count >= 3 + length else { return nil }
            guard let text = String(validating: self.bytes[3..<(3 + length)], as: UTF8.self),
                let message = TakeoverMessage(kind, text)
            else { throw .unintelligible }
            self.bytes.removeFirst(3 + length)
            return message
        }
    }
}

extension SocketAddress {
    /// The name of a listener in takeover messages. It must stay the same in later versions.
    public var offeredName: String { if case .abstract(let name) = self { "@" + name } else { self.description } }

    /// Whether a socket that is bound to this address is one for a listener at `configured`. A listener at every address (`:8080`)
    /// accepts a socket that is bound to every address of both families, or to every IPv4 address.
    func serves(_ configured: SocketAddress) -> Bool {
        if self == configured { return true }
        guard case .ipv6(high: 0, low: 0, let port, _) = configured, case .ipv4(0, port) = self else { return false }
        return true
    }
}
