/// What a client offers as subprotocols, without its credential. A browser fails a connection that is not answered with one of its offers (RFC
/// 6455 section 4.1), so there has to be one.
public enum SubprotocolOffer: Equatable, Sendable {
    /// Those that the route's rules and the backend see.
    ///
    /// - announcement: `bearer`, as the client writes it, which is the answer if none of the others is; `nil`: it did not offer that.
    case names([String], announcement: String?)
    /// There is only the credential, and so nothing to answer with: 400.
    case credentialAlone

    /// - Parameter offers: the elements of `Sec-WebSocket-Protocol`, in their order.
    public init(_ offers: [String]) {
        let credentials = SubprotocolCredential.all(in: offers).map(\.element)
        guard !credentials.isEmpty else {
            self = .names(offers, announcement: nil)
            return
        }
        let rest = offers.filter { !credentials.contains($0) }
        let announcement = rest.first(where: SubprotocolCredential.isAnnouncement)
        self =
            rest.isEmpty
            ? .credentialAlone
            : .names(rest.filter { !SubprotocolCredential.isAnnouncement($0) }, announcement: announcement)
    }
}
