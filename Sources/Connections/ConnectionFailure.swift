public import System
public import TLS

/// Why a connection has failed.
public enum ConnectionFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The peer reset it.
    case reset
    /// For too long, the peer acknowledged nothing, accepted nothing or did not answer.
    case timedOut
    /// The TLS data ended without a close_notify (RFC 8446 section 6.1).
    case truncated
    /// libssl does not accept what came.
    case tls(TLSError)
    /// A system call failed with another error.
    case system(SystemError)

    /// What `error` means for a connection.
    public init(_ error: SystemError) {
        if error.isConnectionReset {
            self = .reset
        } else if error.isTimeout {
            self = .timedOut
        } else {
            self = .system(error)
        }
    }

    /// For the log.
    public var description: String {
        switch self {
        case .reset: "Connection reset by peer"
        case .timedOut: "Connection timed out"
        case .truncated: "the connection ended without a TLS close_notify"
        case .tls(let error): error.description
        case .system(let error): error.reason
        }
    }
}
