public import System

/// How this process takes over, and how a successor takes over from it.
public struct RestartPlan: Sendable {
    /// Where a running gateway with the same configuration waits for its successor.
    public var name: SocketAddress
    /// Whether this process takes the listening sockets from it.
    public var takesOver: Bool
    /// The program that SIGUSR2 starts as our successor, and its arguments; the first is its name.
    public var program: String
    public var arguments: [String]
    /// What our successor reads on standard input: a configuration that came by a pipe, which only this process still has.
    public var input: [UInt8]?

    public init(
        name: SocketAddress, takesOver: Bool, program: String, arguments: [String], input: [UInt8]? = nil
    ) {
        self.name = name
        self.takesOver = takesOver
        self.program = program
        self.arguments = arguments
        self.input = input
    }
}
