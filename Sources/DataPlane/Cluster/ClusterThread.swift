internal import Configuration
public import Observability
internal import Synchronization
internal import System
internal import TLS

/// Begins and ends the thread that has the rooms at the server (`ClusterRooms`). There is none before the first configuration with a server.
public final class ClusterThread {
    private final class Start: Sendable {
        let doorbell: Doorbell
        let failure = Mutex<SystemError?>(nil)

        init() throws(SystemError) { self.doorbell = try Doorbell() }
    }

    private let fleet: Fleet
    private let log: Log
    private var thread: Thread.Handle?
    /// What it was told last.
    private var settings: ClusterSettings?
    private var files: TLSClientSettings?

    /// Does nothing before `use`.
    public init(_ fleet: Fleet, _ log: Log) {
        self.fleet = fleet
        self.log = log
    }

    /// Rooms are where the configuration says from now on.
    ///
    /// - Throws: what the system refuses, and what is wrong with the files of `cluster.tls`.
    public func use(_ configuration: ActiveConfiguration) throws {
        let settings = configuration.settings.cluster
        guard settings != self.settings || configuration.clusterTLS != self.files else { return }
        if self.thread == nil, settings != nil { self.thread = try self.start() }
        self.settings = settings
        self.files = configuration.clusterTLS
        let backends = configuration.backends.compactMap { backend in
            backend.rooms.map { (rooms: $0, history: backend.settings.history) }
        }
        let cluster = self.fleet.cluster
        cluster.turn(on: settings != nil)
        cluster.orders.send(.use(settings, configuration.clusterTLS, backends))
    }

    private func start() throws -> Thread.Handle {
        let (fleet, log, start) = (self.fleet, self.log, try Start())
        let thread = try Thread.start("gateway-rooms") {
            do throws(SystemError) {
                let rooms = try ClusterRooms(fleet, log)
                start.doorbell.ring()
                rooms.run()
            } catch {
                start.failure.withLock { $0 = error }
                start.doorbell.ring()
            }
        }
        start.doorbell.wait()
        if let failure = start.failure.withLock({ $0 }) { throw failure }
        return thread
    }

    /// Ends the thread.
    ///
    /// - Returns: whether it ended in time.
    public func stop(within limit: Duration) -> Bool {
        guard let thread = self.thread else { return true }
        self.fleet.cluster.orders.send(.stop)
        return thread.join(within: limit)
    }
}
