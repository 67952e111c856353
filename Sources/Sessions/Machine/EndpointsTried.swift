/// What is known when the next endpoint of a backend is chosen.
public struct EndpointsTried: Equatable, Sendable {
    /// How many there were.
    public let count: UInt8
    /// Why the last one failed; `nil` if none was tried.
    public let failure: OpeningFailure?
    /// How far the last one came.
    public let phase: Phase

    /// How many endpoints are tried before the client is refused.
    private static let most = 3

    /// None.
    public init() { self.init(count: 0, failure: nil, phase: .requestHead) }

    /// The `count`th failed, after it had come to `phase`.
    init(count: UInt8, failure: OpeningFailure?, phase: Phase) {
        self.count = count
        self.failure = failure
        self.phase = phase
    }

    /// The number of the one that is chosen next, from 1.
    var next: UInt8 { self.count + 1 }

    /// Whether another one may be tried.
    var mayTryAnother: Bool { self.count < Self.most }
}
