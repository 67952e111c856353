internal import Credentials
internal import HTTP1
internal import Observability
internal import System

/// What a session knows of the credential that let its client in. An object of its own, so that only sessions on routes with `auth` carry its
/// memory.
final class CredentialSummary {
    /// The user, or what a token or a certificate calls the client.
    let subject: String?
    /// When it is good no more.
    let ends: MonotonicInstant
    /// What the auth service has for the client: fields Set-Cookie, until the client's answer is sent.
    var cookies = HTTPFields()
    /// Asks the auth service again, while the session is open; `nil`: it is not asked again.
    var renewal: CredentialRenewal?

    init(_ grant: Grant, at now: MonotonicInstant) {
        self.subject = grant.subject
        // The clock of the day may be set later: a session goes by how long it was to last when it began.
        self.ends = grant.expires.map { now + (.seconds($0) - WallClock.sinceEpoch()) } ?? .never
    }

    /// Whether the client is called so. Names that only look the same are different.
    func isOf(_ subject: String) -> Bool { self.subject?.utf8.elementsEqual(subject.utf8) == true }
}
