/// What is wrong with a credential, for the log.
public enum Flaw: Error, Equatable, Sendable, CustomStringConvertible {
    /// It is where it should be, and cannot be read: "the token has no signature".
    case malformed(String)
    /// The token is not signed in one of the route's algorithms.
    case algorithm(String)
    /// No key of the route is of this name, fits the algorithm and may verify. Keys that come from a URL may have changed.
    case unknownKey(String?)
    /// The signature is none of these keys'.
    case signature
    /// `exp` is over, by so many seconds.
    case expired(by: Int64)
    /// `nbf` or `iat` is to come, in so many seconds.
    case early(claim: String, by: Int64)
    /// A claim that must be there is not, or is not what the route asks for.
    case claim(String)
    /// The password is wrong, or there is no such user.
    case password

    /// The reason, as half a sentence.
    public var description: String {
        switch self {
        case .malformed(let problem), .claim(let problem): problem
        case .algorithm(let name): "the token's algorithm \(name) is not one of the route's"
        case .unknownKey(let id?): "no key \(id) fits the token's algorithm"
        case .unknownKey(nil): "no key fits the token's algorithm"
        case .signature: "the token's signature is not right"
        case .expired(let seconds): "the token has expired \(seconds) s ago"
        case .early(let claim, let seconds): "the token's \(claim) is \(seconds) s ahead"
        case .password: "wrong user or password"
        }
    }
}
