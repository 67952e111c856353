internal import Configuration
internal import DataPlane
internal import Observability

/// A name of an operator's that the configuration does not have. It says which names there are.
struct UnknownName: Error {
    /// For the operator.
    let text: String

    /// More are not listed.
    private static let mostNames = 12

    fileprivate init(_ what: String, named name: String, among names: [String]) {
        let place = Self.place(name)
        let near = names.filter { Self.place($0) == place }
        if near.count == 1 {
            self.text = "\(what): did you mean \(near[0])?"
        } else {
            let more = names.count > Self.mostNames ? ", …" : ""
            self.text = "\(what); there are: \(names.prefix(Self.mostNames).joined(separator: ", "))\(more)"
        }
    }

    /// The name of an endpoint without its scheme, and without a last slash: many leave these away.
    private static func place(_ name: String) -> Substring {
        let rest = name.firstRange(of: "//").map { name[$0.upperBound...] } ?? name[...]
        return rest.last == "/" ? rest.dropLast() : rest
    }
}

extension ActiveConfiguration {
    func knownBackend(_ name: String) throws(UnknownName) -> Backend {
        guard let backend = self.backend(named: name) else {
            throw UnknownName("there is no backend \(name.cut)", named: name, among: self.backends.map(\.name))
        }
        return backend
    }

    /// - Throws: if there is no route, backend or endpoint of a name in the filter.
    func checkNames(of filter: SessionFilter) throws(UnknownName) {
        if let route = filter.route, self.route(named: route) == nil {
            throw UnknownName(
                "there is no route \(route.cut)", named: route, among: self.routes.map(\.settings.name))
        }
        var backends = self.backends
        if let name = filter.backend { backends = [try self.knownBackend(name)] }
        // Those that tokens name are among them.
        let endpoints = backends.flatMap(\.allEndpoints).map(\.name)
        guard let name = filter.endpoint, !endpoints.contains(name) else { return }
        if filter.backend != nil { _ = try backends[0].knownEndpoint(name) }
        throw UnknownName("there is no endpoint \(name.cut)", named: name, among: endpoints)
    }
}

extension Backend {
    /// - Throws: also where it has none at all.
    func knownEndpoint(_ name: String) throws(UnknownName) -> Endpoint {
        guard let endpoint = try self.knownEndpoints().first(where: { $0.name == name }) else {
            throw UnknownName(
                "backend \(self.name) has no endpoint \(name.cut)", named: name, among: self.endpoints.map(\.name))
        }
        return endpoint
    }

    /// - Throws: if there are none.
    func knownEndpoints() throws(UnknownName) -> [Endpoint] {
        guard self.endpoints.isEmpty else { return self.endpoints }
        let what = self.tokens == nil ? "is a built-in service, which has no" : "has tokens, and no other"
        throw UnknownName("\(self.name) \(what) endpoints")
    }
}

extension UnknownName {
    fileprivate init(_ text: String) { self.text = text }
}
