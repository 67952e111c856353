public import System

/// Listening sockets that were open before this process started.
public struct SocketSource {
    /// Takes the open sockets of an address, which the caller then owns. Empty if there are none.
    public var take: (SocketAddress) -> [Int32] = { _ in [] }
    /// Whether the service manager owns the file of a Unix socket, and so its mode and group.
    public var isLent: (SocketAddress) -> Bool = { _ in false }
    /// What is known of the process that listens at an address in use, and what an operator can do; or empty.
    public var hint: (SocketAddress) -> String = { _ in "" }

    /// There are no open sockets.
    public init() {}

    /// See the properties.
    public init(
        take: @escaping (SocketAddress) -> [Int32], isLent: @escaping (SocketAddress) -> Bool = { _ in false },
        hint: @escaping (SocketAddress) -> String = { _ in "" }
    ) {
        self.take = take
        self.isLent = isLent
        self.hint = hint
    }
}
