/// `cluster:` a mapping.
enum ClusterSection {
    /// `nil` where the server is missing or wrong, which is reported.
    static func settings(_ mapping: MappingReader) -> ClusterSettings? {
        let keys = Keys.cluster
        let changes = mapping.changes(to: ClusterSettings.self)
        if mapping.has(keys.user), !mapping.has(keys.password) {
            mapping.report(keys.user, "needs `password`: without it the server's default user is meant")
        }
        let tls = mapping.mapping(keys.tls).map { BackendTLSSection.changes($0) }
        guard let server = self.server(mapping) else { return nil }
        if !server.tls { mapping.report(keys.tls, "is for a `rediss://` server") }
        var settings = changes.applied(to: ClusterSettings(server: server))
        tls?.apply(to: &settings.tls)
        return settings
    }

    private static func server(_ mapping: MappingReader) -> RedisServer? {
        let key = Keys.cluster.redis
        guard case .list? = mapping.entry(key)?.value.content else { return mapping.value(key) }
        mapping.report(key, "must be one server, not a list: all gateways of a cluster use the same")
        return nil
    }
}
