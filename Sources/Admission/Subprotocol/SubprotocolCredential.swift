internal import HTTP1

/// Credentials that clients offer as subprotocols, because a page can set no other field of its request. They are for the backend: the
/// gateway neither picks nor shows them.
enum SubprotocolCredential {
    /// The start of an element with a credential. Kubernetes' API server wants the first; the other is usual elsewhere.
    private static let prefixes = ["base64url.bearer.authorization.k8s.io.", "bearer."]

    /// The credentials among a client's offers: elements with such a prefix, and the one that follows the element `bearer`.
    static func all(in offers: [String]) -> Set<String> {
        var credentials: Set<String> = []
        var isAnnounced = false
        for offer in offers {
            let names = self.prefixes.contains {
                offer.utf8.count >= $0.utf8.count && offer.prefix($0.utf8.count).equalsIgnoringCase($0)
            }
            if isAnnounced || names { credentials.insert(offer) }
            isAnnounced = !isAnnounced && self.isAnnouncement(offer)
        }
        return credentials
    }

    /// Whether the next element is a credential. Schemes of authentication are compared without case (RFC 9110 section 11.1).
    static func isAnnouncement(_ offer: String) -> Bool { offer.equalsIgnoringCase("bearer") }
}
