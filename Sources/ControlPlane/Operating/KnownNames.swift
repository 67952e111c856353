internal import Configuration
internal import DataPlane
internal import Observability

/// What operators can name in a configuration, for answers to those that named something else.
struct KnownNames {
    let configuration: ActiveConfiguration
    /// The most names that are listed.
    private static let mostListed = 20

    /// Which name in a filter there is not; `nil`: there are all.
    func unknown(_ filter: SessionFilter) -> String? {
        if let route = filter.route, self.configuration.route(named: route) == nil { return self.noRoute(route) }
        let backend = filter.backend.flatMap { self.configuration.backend(named: $0) }
        if let name = filter.backend, backend == nil { return self.noBackend(name) }
        // Those that tokens name are among them.
        let endpoints = (backend.map { [$0] } ?? self.configuration.backends).flatMap(\.allEndpoints)
        guard let name = filter.endpoint, !endpoints.contains(where: { $0.name == name }) else { return nil }
        return backend.map { self.noEndpoint(name, of: $0) }
            ?? self.text("there is no endpoint \(name.cut)", name, endpoints.map(\.name))
    }

    /// That there is none of this name, and which there are.
    func noRoute(_ name: String) -> String {
        self.text("there is no route \(name.cut)", name, self.configuration.routes.map(\.settings.name))
    }

    /// That there is none of this name, and which there are.
    func noBackend(_ name: String) -> String {
        self.text("there is no backend \(name.cut)", name, self.configuration.backends.map(\.name))
    }

    /// That the backend has none of this name, and which it has.
    func noEndpoint(_ name: String, of backend: Backend) -> String {
        self.text(
            "there is no endpoint \(name.cut) of a backend \(backend.name)", name, backend.allEndpoints.map(\.name))
    }

    /// What there is instead.
    private func text(_ problem: String, _ name: String, _ names: [String]) -> String {
        if let meant = names.first(where: { Self.bare($0) == Self.bare(name) }) {
            return "\(problem): did you mean \(meant)?"
        }
        guard !names.isEmpty else { return "\(problem): there are none" }
        let listed = names.prefix(Self.mostListed).joined(separator: ", ")
        let more = names.count - Self.mostListed
        return "\(problem): there \(names.count == 1 ? "is" : "are") \(listed)" + (more > 0 ? " and \(more) more" : "")
    }

    /// A name without what is easily left out of it: the scheme of a URL, and the slash behind its host.
    private static func bare(_ name: String) -> Substring {
        let rest = name.firstRange(of: "://").map { name[$0.upperBound...] } ?? name[...]
        return rest.hasSuffix("/") ? rest.dropLast() : rest
    }
}
