internal import CLinux

/// The system's generator. It gets 32 numbers at a time; `SystemRandomNumberGenerator` makes a system call for each.
package struct SystemRandomness: RandomNumberGenerator, Sendable {
    package init() {}

    /// A random number.
    package mutating func next() -> UInt64 { gateway_random() }
}
