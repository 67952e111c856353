public import System
public import TLS

/// Why a connection is of no use any more.
public enum ConnectionFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The peer reset it.
    case reset
    /// The peer acknowledged nothing, took nothing, or gave no answer, for too long.
    case timedOut
    /// Its bytes ended without a close_notify (RFC 8446 section 6.1).
    case truncated
    /// libssl does not accept what came.
    case tls(TLSError)
    /// A system call failed otherwise.
    case system(SystemError)

    public init(_ error: SystemError) {
        if error.isConnectionReset {
            self = .reset
        } else if error.isTimeout {
            self = .timedOut
        } else {
            self = .system(error)
        }
    }

    /// In words, for a line in the log.
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
