/// What was asked for is not in memory, or the system cannot tell: a call that may wait has to answer.
public struct NotCached: Error {
    /// Nothing more is known.
    public init() {}
}
