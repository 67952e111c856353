import Configuration
import System
import TLS

@testable import DataPlane
@testable import Observability
@testable import Sessions

/// A worker without a thread: the test makes its turns.
final class StillWorker {
    let worker: Worker
    private let listener: Listener
    private let log: Log
    private var sessions: [Session] = []

    init() throws {
        var settings = GatewayConfiguration.Log()
        settings.file = "/dev/null"
        self.log = try Log(settings)
        let blueprint = WorkerBlueprint(
            fleet: try Fleet(workers: 1, descriptorLimit: 100), log: self.log,
            configuration: try ActiveConfiguration(GatewayConfiguration()), listeners: [])
        self.worker = try Worker(0, blueprint)
        self.listener = try Listener(
            ListenerBlueprint(
                id: 0, settings: ListenerSettings(address: .tcp(host: "127.0.0.1", port: 0)),
                configured: .loopback(port: 0), address: .loopback(port: 0), sockets: [], tls: nil), io: TLSIO())
    }

    /// A session with its client at the other end of `descriptor`.
    func session(_ descriptor: Int32, _ address: SocketAddress = .unnamed) throws -> Session {
        let session = try Session(descriptor, address, listener: self.listener, self.worker.context)
        self.sessions.append(session)
        return session
    }

    func end() {
        for session in self.sessions { session.abort() }
        self.log.close()
    }
}

extension Session {
    /// The client got its 101 from a service, `conversation`.
    func open(as conversation: any Conversation) {
        _ = self.machine.handle(.admitted(.service, .registered))
        self.begin(conversation, early: PerLeg(client: [], backend: []))
    }
}
