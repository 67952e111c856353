internal import Balancing
package import System

/// Where a running gateway waits for the one that is to take over from it.
package enum TakeoverName {
    /// A name of a Unix socket without a file, made of the user and the configuration, so that both processes find it without being
    /// told, and nothing is left behind by one that was killed.
    ///
    /// - Parameter configuration: the absolute path of the configuration file.
    package static func of(configuration: String, user: UInt32 = OwnProcess.user) -> SocketAddress {
        .abstract(name: "gateway/\(user)/\(self.digits(StableHash.of(configuration)))")
    }

    /// The name for a configuration that came by a pipe, and is known by what it says: how the pipe is called says nothing.
    package static func of(contents: [UInt8], user: UInt32 = OwnProcess.user) -> SocketAddress {
        .abstract(name: "gateway/\(user)/pipe/\(self.digits(StableHash.of(contents)))")
    }

    private static func digits(_ hash: UInt64) -> String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// What a running gateway (the predecessor) and the one that takes over from it (the successor) say to each other.
///
/// A kind, the length of the text in two bytes (the higher one first), the text. In order: `hello` by the successor; each
/// `listener` with its `sockets`, then `end`, by the predecessor; what it `adopted` and `ready` by the successor; `released` by the
/// predecessor, which may say `refused` instead at any time.
enum TakeoverMessage: Equatable, Sendable {
    /// The version of this protocol that the successor speaks.
    case hello(version: String)
    /// The address of a listener, as its configuration has it.
    case listener(String)
    /// The message carries so many descriptors of the listener named last.
    case sockets(Int)
    /// That was the last listener.
    case end
    /// The successor goes on listening here.
    case adopted(String)
    /// The successor serves.
    case ready
    /// The predecessor accepts no more.
    case released
    case refused(String)

    static let version = "1"
    /// The longest text of a message, in bytes. The path of a Unix socket has 107, a host name 255.
    static let longestText = 1024

    private enum Kind: UInt8 {
        case hello, listener, sockets, end, adopted, ready, released, refused
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
        case .end, .ready, .released: return nil
        }
    }

    /// The message as it is sent.
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
            }
        let length = text.utf8.count
        return [kind.rawValue, UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length)] + text.utf8
    }

    /// Takes messages from bytes as they come.
    struct Reader {
        private var bytes: [UInt8] = []

        mutating func append(_ bytes: some Sequence<UInt8>) { self.bytes += bytes }

        /// The next message; `nil`: it is not there yet.
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

/// Why a takeover came to nothing.
enum TakeoverError: Error, Equatable, CustomStringConvertible {
    /// No message of ours.
    case unintelligible
    /// A message at the wrong time, or with the wrong number of descriptors.
    case unexpected
    case tooMany
    case otherVersion(String)

    var description: String {
        switch self {
        case .unintelligible: "the other side says what is no message of a takeover"
        case .unexpected: "the other side says what it should not say now"
        case .tooMany: "the other side names too many listeners"
        case .otherVersion(let version):
            "the other side speaks version \(version) of the takeover protocol, this one \(TakeoverMessage.version)"
        }
    }
}
