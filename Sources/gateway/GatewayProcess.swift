internal import Admin
internal import ArgumentParser
internal import Configuration
internal import ControlPlane
internal import Glibc
internal import System
internal import Takeover

/// The running gateway.
enum GatewayProcess {
    /// Serves a configuration until it is told to stop.
    ///
    /// - Parameters:
    /// - source: reads the configuration again for a reload; `nil` if there is no file.
    /// - restart: how this process takes over, and how a successor takes over from it.
    /// - hint: added to the log line `serving`.
    /// - Throws: an exit status. It is 1 if the gateway cannot start; one line on standard error says why.
    static func run(
        _ configuration: GatewayConfiguration, source: ConfigurationSource? = nil, restart: RestartPlan? = nil,
        hint: String? = nil
    ) throws(ExitCode) {
        do throws(StartError) {
            // Looking names up may block, so it comes before anything is served.
            let place = try configuration.admin.map { settings throws(StartError) in try AdminPlace(settings) }
            let gateway = try ControlPlane.Gateway(configuration, source: source, restart: restart)
            gateway.version = Version.current
            gateway.hint = hint
            let admin = try self.openAdmin(at: place, of: gateway)
            gateway.whenReleased = { admin?.close() }
            gateway.run()
            admin?.close()
            // The workers still use what a normal exit would clean up.
            if gateway.leavesWorkers { _exit(EXIT_SUCCESS) }
        } catch {
            OutputFile.standardError.append(line: "gateway: \(error)")
            throw ExitCode.failure
        }
    }

    /// Opens the admin address, if the configuration has one.
    ///
    /// - Throws: one line, if that fails at a start. After a takeover no other process accepts connections, so the gateway serves without
    ///   the admin address and logs the error.
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
