public import HTTP1

/// Puts the payload of a message together as the body of a request brings it.
public struct PublishedPayload: Sendable {
    /// How far it has come.
    public enum Progress: Equatable, Sendable {
        case more
        case whole
        case invalid(MessageBody.Failure)
        case tooLarge
    }

    private var body: MessageBody
    private let most: Int
    /// What came of it.
    public private(set) var bytes: [UInt8] = []

    init(_ body: MessageBody, atMost most: Int) {
        self.body = body
        self.most = most
    }

    /// Reads on from `index`, and moves `index` behind what belongs to the body.
    public mutating func take(_ bytes: Span<UInt8>, from index: inout Int) -> Progress {
        while true {
            switch self.body.next(in: bytes, from: &index) {
            case .chunkBegins, .chunkEnds: continue
            case .data(let range):
                guard range.count <= self.most - self.bytes.count else { return .tooLarge }
                self.bytes.append(contentsOf: bytes.extracting(range))
            case .needsMore: return .more
            case .end: return .whole
            case .invalid(let failure): return .invalid(failure)
            }
        }
    }
}
