public import Credentials
public import HTTP1

/// What a route's auth service says of a request.
public enum AuthVerdict: Equatable, Sendable {
    /// It lets the request in (2xx).
    ///
    /// - cookies: each Set-Cookie of its answer, which is the client's.
    case granted(Grant, cookies: HTTPFields)
    /// It does not (3xx, 401, 403). The answer is its own, with the fields that may pass, and is the client's.
    case refused(Answer)
    /// It says neither. The reason is for the log, and has nothing that a client or the service has sent but a status.
    case unreachable(String)
}
