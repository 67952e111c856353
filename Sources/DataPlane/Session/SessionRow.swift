/// One live session, as the admin address shows it.
package struct SessionRow: Sendable {
    package var id: String
    package var route: String
    package var backend: String?
    package var endpoint: String?
    /// The client's address as far as proxies we trust name it; `unix` for a Unix socket.
    package var client: String
    package var phase: String
    package var age: Duration
    /// Since the last byte from either side.
    package var idle: Duration
    package var origin: String?
    package var subprotocol: String?
    /// The TLS version of the client's leg.
    package var tls: String?
    package var messagesToBackend: UInt64 = 0
    package var messagesToClient: UInt64 = 0
    /// Payload.
    package var bytesToBackend: UInt64 = 0
    package var bytesToClient: UInt64 = 0
    /// Bytes that wait for each side.
    package var queuedForClient = 0
    package var queuedForBackend = 0
    /// The latest round trip of a ping of ours; `nil`: none was answered yet.
    package var clientRTT: Duration?
    package var backendRTT: Duration?

    package init(id: String, route: String, client: String, phase: String, age: Duration, idle: Duration) {
        self.id = id
        self.route = route
        self.client = client
        self.phase = phase
        self.age = age
        self.idle = idle
    }
}
