/// The port that a scheme stands for where none is written (RFC 9110 section 4.2, RFC 6455 section 3); 0 for schemes that have none.
public func defaultPort(ofScheme scheme: String) -> UInt16 {
    switch scheme {
    case "https", "wss": 443
    case "http", "ws": 80
    default: 0
    }
}
