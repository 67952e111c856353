/// What a credential is worth.
public enum Verdict: Equatable, Sendable {
    /// It is good.
    case granted(Grant)
    /// It is not: 401. The reason is for the log, and not for the client.
    case refused(Flaw)
    /// It is good, and does not let its owner in here: 403. The reason is for the log, likewise.
    case forbidden(String)
}
