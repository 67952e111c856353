internal import Admin
internal import ArgumentParser
internal import Configuration
internal import ControlPlane
internal import Foundation
internal import System
internal import Takeover

/// The running gateway.
enum GatewayProcess {
    /// Serves a configuration until it is told to stop.
    ///
    /// - Parameters:
    ///   - source: Reads the configuration again, for a reload.
    ///   - restart: How it takes another's place, and another its.
    ///   - hint: Said in the line that says what is served.
    /// - Throws: The exit status where it cannot start: 1, after one line that says why.
    static func run(
        _ configuration: GatewayConfiguration, source: ConfigurationSource? = nil, restart: RestartPlan? = nil,
        hint: String? = nil
    ) throws(ExitCode) {
        do throws(StartError) {
            // Before there is anyone to wait for it.
            let place = try configuration.admin.map { settings throws(StartError) in try AdminPlace(settings) }
            let gateway = try ControlPlane.Gateway(configuration, source: source, restart: restart)
            gateway.version = Version.current
            gateway.hint = hint
            let admin = try self.openAdmin(at: place, of: gateway)
            gateway.whenReleased = { admin?.close() }
            gateway.run()
            admin?.close()
            // Nothing may be cleaned up that they are in the middle of.
            if gateway.leavesWorkers { _exit(EXIT_SUCCESS) }
        } catch {
            FileHandle.standardError.write(Data("gateway: \(error)\n".utf8))
            throw ExitCode.failure
        }
    }

    /// - Throws: Why there can be none, at a start. A gateway that took another's place is the only one that accepts: it serves all
    ///   the same, and says so in the log.
    private static func openAdmin(
        at place: AdminPlace?, of gateway: ControlPlane.Gateway
    ) throws(StartError) -> AdminServer? {
        guard let place else { return nil }
        do throws(StartError) {
            let admin = try AdminServer(place, control: gateway)
            gateway.logAdmin(admin.address)
            return admin
        } catch {
            guard gateway.tookOver else { throw error }
            gateway.logAdminFailed(error)
            return nil
        }
    }
}
