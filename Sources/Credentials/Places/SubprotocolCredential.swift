internal import HTTP1

/// A credential that a client offers as a subprotocol, because a page can set no other field of its request.
public struct SubprotocolCredential: Equatable, Sendable {
    /// The element of the list, as it was sent.
    public let element: String
    /// The token in it; `nil` where it cannot be read.
    public let token: String?

    /// What an element with a token begins with, and whether the token is in base64url. The first is what Kubernetes' API server wants; the
    /// other is usual elsewhere.
    private static let prefixes = [
        (text: "base64url.bearer.authorization.k8s.io.", isEncoded: true), (text: "bearer.", isEncoded: false),
    ]

    /// The credentials among a client's offers: elements with such a prefix, and the one that follows the element `bearer`.
    public static func all(in offers: [String]) -> [SubprotocolCredential] {
        var credentials: [SubprotocolCredential] = []
        var isAnnounced = false
        for offer in offers {
            if let credential = self.prefixed(offer) {
                credentials.append(credential)
                isAnnounced = false
            } else if isAnnounced {
                credentials.append(SubprotocolCredential(element: offer, token: offer))
                isAnnounced = false
            } else {
                isAnnounced = self.isAnnouncement(offer)
            }
        }
        return credentials
    }

    private static func prefixed(_ offer: String) -> SubprotocolCredential? {
        for prefix in self.prefixes {
            let count = prefix.text.utf8.count
            guard offer.utf8.count >= count, offer.prefix(count).equalsIgnoringCase(prefix.text) else { continue }
            let rest = String(offer.dropFirst(count))
            let token = prefix.isEncoded ? self.decoded(rest) : rest
            return SubprotocolCredential(element: offer, token: token?.isEmpty == true ? nil : token)
        }
        return nil
    }

    private static func decoded(_ text: String) -> String? {
        Base64.decoded(text.utf8, .url).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// Whether the next element is a credential. Schemes of authentication are compared without case (RFC 9110 section 11.1).
    public static func isAnnouncement(_ offer: String) -> Bool { offer.equalsIgnoringCase("bearer") }
}
