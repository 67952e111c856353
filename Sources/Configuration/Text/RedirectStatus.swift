/// `redirect.status` of a route
public enum RedirectStatus: String, CaseIterable, Sendable {
    /// Moved Permanently: most clients turn a POST into a GET.
    case movedPermanently = "301"
    /// Found: most clients turn a POST into a GET.
    case found = "302"
    /// See Other: clients use GET.
    case seeOther = "303"
    /// Temporary Redirect: clients keep the method.
    case temporary = "307"
    /// Permanent Redirect: clients keep the method.
    case permanent = "308"

    /// As in a status line.
    public var code: Int {
        switch self {
        case .movedPermanently: 301
        case .found: 302
        case .seeOther: 303
        case .temporary: 307
        case .permanent: 308
        }
    }
}
