import Configuration
import System
import TestSupport

@testable import Redis

extension ClusterSettings {
    /// What the keys of `cluster` become.
    static func reading(_ text: String) throws -> ClusterSettings {
        let configuration = try ConfigurationReader.read(
            text: "listeners: [{address: \":0\"}]\ncluster: {\(text)}", file: "gateway.conf", environment: [:])
        guard let cluster = configuration.cluster else { throw NoCluster() }
        return cluster
    }

    private struct NoCluster: Error {}
}

extension [UInt8] {
    init(_ text: String) { self = Array(text.utf8) }
}

extension RedisValue {
    static func text(_ text: String) -> RedisValue { .bytes(Array(text.utf8)) }
}
