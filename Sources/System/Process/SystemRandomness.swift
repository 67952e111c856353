internal import CLinux

/// The system's generator. It gets 32 numbers at a time; `SystemRandomNumberGenerator` makes a system call for each.
public struct SystemRandomness: RandomNumberGenerator, Sendable {
    /// All instances draw from the numbers of the thread.
    public init() {}

    /// A random number.
    public mutating func next() -> UInt64 { gateway_random() }
}
