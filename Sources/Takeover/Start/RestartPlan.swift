public import System

/// How this process takes over, and how a successor takes over from it.
public struct RestartPlan: Sendable {
    /// The address at which a running gateway with the same configuration waits for its successor.
    public var name: SocketAddress
    /// Whether this process takes over the listening sockets of that gateway.
    public var takesOver: Bool
    /// The path of the program that SIGUSR2 starts as the successor.
    public var program: String
    /// The arguments of that program; the first is its name.
    public var arguments: [String]
    /// The standard input of that program: a configuration that came by a pipe, which only this process still has.
    public var input: [UInt8]?

    /// See the properties.
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
