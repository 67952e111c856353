internal import Configuration
internal import Observability
internal import ProxyProtocol

/// A rule of a listener that a connection breaks: it is closed before it could say anything that is answered.
enum DoorRule {
    /// Its address has this many connections already.
    case tooMany(Int)
    /// `allow` does not have the peer's address.
    case notAllowed
    /// It would have to begin with a PROXY header, and its peer is not believed.
    case notTrusted
    /// It does not begin with a PROXY header.
    case badProxyHeader(ProxyHeaderReader.Fault)

    /// A sentence for the log.
    var reason: String {
        switch self {
        case .tooMany(let limit):
            "its address has as many connections as limits.connections-per-address allows: \(limit)"
        case .notAllowed: "its address is not in allow of the listener"
        case .notTrusted: "the listener has proxy-protocol, and the peer is not in trusted-proxies"
        case .badProxyHeader(let fault): fault.description
        }
    }

    /// What it is counted as.
    var result: MetricsSnapshot.HandshakeResult {
        switch self {
        case .tooMany: .tooMany
        case .notAllowed: .notAllowed
        case .notTrusted: .notTrusted
        case .badProxyHeader: .badProxyHeader
        }
    }
}
