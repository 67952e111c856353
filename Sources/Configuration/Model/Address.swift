/// Where to listen or connect: a host name or IP literal with a port, or the path or the name of a Unix socket.
package enum Address: Hashable, Sendable, CustomStringConvertible {
    /// The host is in lower case, without brackets and trailing dot, an IP literal as `IPAddress.description` writes it;
    /// empty stands for every local address.
    case tcp(host: String, port: UInt16)
    case unix(path: String)
    /// A Unix socket without a file (unix(7), "abstract"): Linux forgets the name with the socket.
    case abstract(name: String)

    /// `127.0.0.1:80`, `[::1]:80`, `unix:/run/x.sock`, `unix:@name`.
    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        case .abstract(let name): "unix:@\(name)"
        }
    }
}
