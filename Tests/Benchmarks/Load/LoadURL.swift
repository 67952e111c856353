internal import ArgumentParser
internal import System

/// The URL of a WebSocket server on this machine.
struct LoadURL: ExpressibleByArgument {
    let isSecure: Bool
    let port: UInt16
    /// The path with its query.
    let path: String

    var address: SocketAddress { .loopback(port: self.port) }

    /// `ws://127.0.0.1:PORT/PATH` or `wss://…`. No other host: load belongs on the loopback only.
    init?(argument: String) {
        guard let separator = argument.firstRange(of: "://") else { return nil }
        switch argument[..<separator.lowerBound] {
        case "ws": self.isSecure = false
        case "wss": self.isSecure = true
        default: return nil
        }
        let rest = argument[separator.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        let authority = rest[..<slash].split(separator: ":", omittingEmptySubsequences: false)
        guard authority.count == 2, authority[0] == "127.0.0.1", let port = UInt16(authority[1]), port > 0 else {
            return nil
        }
        self.port = port
        self.path = slash == rest.endIndex ? "/" : String(rest[slash...])
    }
}
