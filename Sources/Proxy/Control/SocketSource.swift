internal import System

/// Listening sockets that were open before this process was started, and whose addresses are whose.
struct SocketSource {
    /// The sockets of an address that somebody opened for us, which are the caller's now; empty: there are none.
    var take: (SocketAddress) -> [Int32] = { _ in [] }
    /// Whether the file of a Unix socket is the service manager's, who says who may connect to it.
    var isLent: (SocketAddress) -> Bool = { _ in false }
    /// What is known of whoever listens at an address that is in use, and what an operator can do; empty: nothing.
    var hint: (SocketAddress) -> String = { _ in "" }
}
