import Admission
import Configuration
import HTTP1
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
            configuration: try ActiveConfiguration(Self.configuration), listeners: [])
        self.worker = try Worker(0, blueprint)
        self.listener = try Listener(
            ListenerBlueprint(
                id: 0, settings: ListenerSettings(address: .tcp(host: "127.0.0.1", port: 0)),
                configured: .loopback(port: 0), address: .loopback(port: 0), sockets: [], tls: nil), io: TLSIO())
    }

    private static var configuration: GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.backends["service"] = BackendSettings(name: "service", kind: .builtin(.echo))
        configuration.routes = [RouteSettings(name: "service", path: .subtree("/"), action: .backend("service"))]
        return configuration
    }

    /// A session with its client at the other end of `descriptor`. It has the client's connection, and its 101 is due.
    func session(_ descriptor: Int32, _ address: SocketAddress = .unnamed) throws -> Session {
        let context = self.worker.context
        let client = try ClientConnection(descriptor, address, listener: self.listener, context, for: self.worker)
        let configuration = context.configuration
        _ = client.machine.handle(.admitted)
        let session = Session(
            for: client, of: client.subject, since: (began: client.began, lastByte: client.lastByte),
            try Self.request(configuration.shared), to: configuration.shared.routes[0], at: nil,
            configuration, context)
        _ = session.takeClient()
        self.sessions.append(session)
        return session
    }

    private static func request(_ configuration: ActiveConfiguration) throws -> Admitted {
        let text =
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        let bytes = Array(text.utf8)
        var parser = RequestHeadParser()
        guard case .head(let head, _) = parser.parse(bytes.span) else { throw SystemError("parse", 0) }
        let arrival = Arrival(peer: nil, listenerIsSecure: false, trustedProxies: configuration.settings.trustedProxies)
        let decision = Admission.decide(head, Hops(head.fields, arrival), configuration.routeTable)
        guard case .upgrade(let admitted) = decision else { throw SystemError("admit", 0) }
        return admitted
    }

    func end() {
        for session in self.sessions { session.abort() }
        self.log.close()
    }
}

extension Session {
    /// The client got its 101 from a service, `conversation`.
    func open(as conversation: any Conversation) {
        _ = self.machine.start(to: .service)
        conversation.prepareToBegin()
        self.begin(conversation, early: PerLeg(client: [], backend: []))
    }
}
