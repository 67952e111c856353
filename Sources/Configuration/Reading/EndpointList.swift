/// What the two kinds of endpoints have in common.
protocol ConfiguredEndpoint {
    var tls: Bool { get }
    var weight: Int { get set }
    var backup: Bool { get set }
    /// The name by which the endpoint is known.
    var description: String { get }
}

extension WebSocketEndpoint: ConfiguredEndpoint {}
extension TCPEndpoint: ConfiguredEndpoint {}

/// `websocket:` or `tcp:` of a backend: a list of endpoints, each its text or a mapping that has it under a key.
struct EndpointList<Rows: Sendable> {
    let backend: MappingReader
    /// `websocket` or `tcp`
    let key: MappingKey<Rows>
    /// The key that has the text in a mapping: `url` or `address`.
    let textKey: OptionalKey<String>
    /// The other keys of a mapping.
    let share: Keys.EndpointShare
    /// The scheme with TLS, for messages.
    let secureScheme: String

    /// The endpoints without mistakes; `nil` where there is no list, or an empty one, which is reported.
    func endpoints<Endpoint: ConfiguredEndpoint>(
        _ read: (String) throws(Mistake) -> Endpoint
    ) -> [Endpoint]? {
        guard let nodes = self.backend.filledNodes(self.key) else { return nil }
        var endpoints: [Endpoint] = []
        var lines: [String: Int] = [:]
        for node in nodes {
            guard let (endpoint, position) = self.endpoint(node, read) else { continue }
            let name = endpoint.description
            if let line = lines[name] {
                self.backend.diagnostics.report(
                    position, "`\(name)` is a duplicate: it is on line \(line) already; use `weight` to give it more")
            } else {
                lines[name] = position.line
            }
            endpoints.append(endpoint)
        }
        // An endpoint with a mistake may be the one that the others lack.
        guard endpoints.count == nodes.count else { return endpoints }
        if endpoints.allSatisfy(\.backup) {
            self.backend.report(self.key, "needs an endpoint that is not a backup")
        }
        if !endpoints.contains(where: \.tls) {
            self.backend.report(Keys.backend.tls, "needs an endpoint that uses TLS: `\(self.secureScheme)`")
        }
        return endpoints
    }

    private func endpoint<Endpoint: ConfiguredEndpoint>(
        _ node: DocumentNode, _ read: (String) throws(Mistake) -> Endpoint
    ) -> (Endpoint, Diagnostic.Position)? {
        let diagnostics = self.backend.diagnostics
        guard case .mapping = node.content else {
            return node.value(subject: "an entry of `\(self.key.name)`", diagnostics: diagnostics, read)
                .map { ($0, node.position) }
        }
        guard
            let mapping = MappingReader(node, self.key.keys.section, subject: "an endpoint", diagnostics: diagnostics)
        else { return nil }
        let weight = mapping.value(self.share.weight)
        let backup = mapping.value(self.share.backup)
        guard var endpoint = mapping.value(self.textKey, read), let entry = mapping.entry(self.textKey) else {
            return nil
        }
        endpoint.weight = weight ?? endpoint.weight
        endpoint.backup = backup ?? endpoint.backup
        return (endpoint, entry.value.position)
    }
}
