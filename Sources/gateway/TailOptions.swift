internal import Admin
internal import ArgumentParser

/// Which sessions `gateway tail` and `gateway record` are about.
struct TailOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "All sessions of this route, by the name that the log has, those that are opened later included.",
            valueName: "name"))
    var route: String?

    /// What is asked for at the admin address.
    ///
    /// - Parameter session: an id; not beside `--route`.
    /// - Throws: a usage error.
    func target(session: String?) throws -> String {
        switch (session, self.route) {
        case (let id?, nil):
            // It becomes part of a request's path.
            guard id.utf8.count == 16, id.allSatisfy(\.isHexDigit) else {
                throw ValidationError("\(id) is no session id: that has 16 hexadecimal digits.")
            }
            return "/api/sessions/\(id.lowercased())/tail"
        case (nil, let route?): return AdminClient.target("/api/tail", [("route", route)])
        case (nil, nil): throw ValidationError("Name a session by its id, or a route with --route.")
        case (_?, _?): throw ValidationError("Name either a session or a route.")
        }
    }
}
