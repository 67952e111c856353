internal import Admin
internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import Proxy

/// The running gateway.
enum GatewayProcess {
    /// Serves a configuration until it is told to stop.
    ///
    /// - Parameters:
    ///   - source: Reads the configuration again, for a reload.
    ///   - restart: How it takes another's place, and another its.
    /// - Throws: The exit status where it cannot start: 1, after one line that says why.
    static func run(
        _ configuration: GatewayConfiguration, source: ConfigurationSource? = nil, restart: RestartPlan? = nil
    ) throws(ExitCode) {
        let status: Int32
        do throws(StartError) {
            let gateway = try Proxy.Gateway(configuration, source: source, restart: restart)
            gateway.version = Version.current
            let admin = try configuration.admin.map { settings throws(StartError) in
                try AdminServer(settings, control: gateway)
            }
            if let admin { gateway.logAdmin(admin.address) }
            gateway.whenReleased = { admin?.close() }
            status = gateway.run()
            admin?.close()
        } catch {
            FileHandle.standardError.write(Data("gateway: \(error)\n".utf8))
            throw ExitCode.failure
        }
        guard status == 0 else { throw ExitCode(status) }
    }
}
