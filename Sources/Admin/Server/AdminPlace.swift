public import Configuration
internal import ControlPlane
internal import DataPlane
public import System

/// Where to open the admin address. All names are looked up already, because that may block.
public struct AdminPlace: Sendable {
    /// How long to wait for each name.
    private static let limit = Duration.seconds(5)

    let settings: GatewayConfiguration.Admin
    /// The addresses to try, in this order.
    let candidates: [SocketAddress]
    /// The mode and group of the socket file; `nil` if there is no file.
    let access: SocketFileAccess?

    /// Looks the names up. This blocks, so it is for the time before the gateway serves.
    ///
    /// - Throws: one line that says which name was not found.
    public init(_ settings: GatewayConfiguration.Admin) throws(StartError) {
        self.settings = settings
        self.access = try Self.access(settings)
        switch settings.address {
        case .unix(let path): self.candidates = [.unix(path: path)]
        case .abstract(let name): self.candidates = [.abstract(name: name)]
        case .tcp(let host, let port):
            if host.isEmpty {
                // Every address of both families.
                self.candidates = [.ipv6(high: 0, low: 0, port: port, scope: 0), .ipv4(0, port: port)]
                return
            }
            switch try Self.wait(for: host, { Resolver.addresses(of: host, port: port) }) {
            case .success(let addresses): self.candidates = addresses
            case .failure(let error):
                throw StartError("cannot listen on the admin address \(settings.address): \(error.reason)")
            }
        }
    }

    /// What is wrong with the group of the socket; `nil` if nothing. For `gateway check`.
    public static func problem(in settings: GatewayConfiguration.Admin) -> String? {
        do throws(StartError) {
            _ = try self.access(settings)
            return nil
        } catch {
            return error.description
        }
    }

    private static func access(_ settings: GatewayConfiguration.Admin) throws(StartError) -> SocketFileAccess? {
        guard case .unix = settings.address else { return nil }
        return try settings.access.map { access throws(StartError) in try SocketFileAccess.find(access, of: "admin") }
            ?? .ownerOnly
    }

    private static func wait<Value: Sendable>(
        for name: String, _ call: @escaping @Sendable () -> Value
    ) throws(StartError) -> Value {
        do throws(SystemError) {
            if let value = try BlockingCalls.make(within: self.limit, call) { return value }
        } catch {
            throw StartError("admin: \(name) cannot be looked up: \(error)")
        }
        throw StartError("admin: \(name) was not found within \(self.limit.components.seconds) s")
    }
}
