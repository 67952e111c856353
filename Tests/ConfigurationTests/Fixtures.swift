import Foundation
import Testing

@testable import Configuration

/// The files of the package that the configuration is documented in.
enum Shipped {
    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static let configuration = package.appending(path: "gateway.conf").path()
    static let schema = package.appending(path: "ops/gateway.schema.json").path()
}

extension GatewayConfiguration {
    /// What a whole file becomes.
    static func reading(_ text: String, environment: [String: String] = [:]) throws -> GatewayConfiguration {
        try ConfigurationReader.read(text: text, file: "gateway.conf", environment: environment)
    }
}

extension RouteSettings {
    /// What the keys of a route to the backend `b` become.
    static func reading(
        defaults: String = "{}", route: String, backend: String = "{builtin: echo}"
    ) throws -> RouteSettings {
        let configuration = try GatewayConfiguration.reading(
            """
            listeners: [{address: ":0"}]
            defaults: \(defaults)
            routes: [{path: /, backend: b, \(route)}]
            backends: {b: \(backend)}
            """)
        return try #require(configuration.routes.first)
    }
}

extension BackendSettings {
    /// What a backend's keys become.
    static func reading(_ text: String) throws -> BackendSettings {
        let configuration = try GatewayConfiguration.reading("listeners: [{address: \":0\"}]\nbackends: {b: \(text)}")
        return try #require(configuration.backends["b"])
    }
}
