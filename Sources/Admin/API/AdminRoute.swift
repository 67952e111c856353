/// One thing that the admin address offers.
struct AdminRoute: Sendable {
    /// The parts of a path between its slashes. A part in capitals, such as `ID`, stands for any text, and `ROOM` at the end for all that is
    /// left, slashes included.
    typealias Parts = [Substring]

    /// The method that it takes; for GET, HEAD too (RFC 9110 section 9.3.2).
    let method: String
    /// Its path, as the list at `/` shows it.
    let path: String
    /// What the list at `/` says of it.
    let help: String
    /// The clients that may use it where passwords are asked for.
    let visitors: Visitors
    /// Whether it leaves everything as it is: then it works at a `read-only` address, too.
    let changesNothing: Bool
    /// Gets the request, and the text of each part in capitals.
    let decide: @Sendable (AdminRequest, Parts) throws(AdminResponse) -> AdminRouter.Decision

    private let parts: Parts

    /// The clients of a route.
    enum Visitors: Sendable {
        /// Probes show no password.
        case everyone
        /// `metrics` of `admin` says.
        case scrapers
        case users
    }

    init(
        _ method: String, _ path: String, _ help: String, for visitors: Visitors = .users, changesNothing: Bool = false,
        _ decide: @escaping @Sendable (AdminRequest, Parts) throws(AdminResponse) -> AdminRouter.Decision
    ) {
        self.method = method
        self.path = path
        self.help = help
        self.visitors = visitors
        self.changesNothing = changesNothing || !["POST", "DELETE"].contains(method)
        self.decide = decide
        self.parts = Self.parts(of: path)
    }

    /// A route that only asks.
    init(
        _ method: String, _ path: String, _ help: String, for visitors: Visitors = .users, asks question: AdminQuestion
    ) {
        self.init(method, path, help, for: visitors) { request, _ throws(AdminResponse) in
            // Probes may send what they like.
            if path.hasPrefix("/api/") { try request.takesNoParameters() }
            return .ask(question)
        }
    }

    /// The methods of requests that it takes.
    var methods: [String] { self.method == "GET" ? ["GET", "HEAD"] : [self.method] }

    /// The texts that stand for its parts in capitals; `nil`: it is another path.
    func match(_ path: Parts) -> Parts? {
        let takesRest = self.parts.last == "ROOM"
        guard takesRest ? path.count >= self.parts.count : path.count == self.parts.count else { return nil }
        var path = path
        if takesRest, let first = path[(self.parts.count - 1)...].first, let last = path.last {
            path = path[..<(self.parts.count - 1)] + [first.base[first.startIndex..<last.endIndex]]
        }
        var texts: Parts = []
        for (part, text) in zip(self.parts, path) {
            if part.first?.isUppercase == true {
                texts.append(text)
            } else if part != text {
                return nil
            }
        }
        return texts
    }

    static func parts(of path: String) -> Parts { path.split(separator: "/", omittingEmptySubsequences: false) }
}
