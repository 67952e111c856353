internal import Configuration
public import Connections
public import Observability
public import System

/// Waits for a gateway that takes over from this one (`gateway run --takeover`), and gives it the listening sockets. Connections that
/// wait in them are accepted by the successor, and none is refused. On the control thread.
///
/// Only processes of the same user and of root are served; the kernel says which user it is. Nothing changes here until the successor
/// says that it serves.
public final class TakeoverServer {
    /// A takeover that has succeeded.
    public struct Release: Equatable, Sendable {
        /// The offered addresses at which the successor goes on listening. It has their sockets: this process must not accept connections
        /// there any more, nor remove the file of a Unix socket. All other sockets are closed with this process, which accepts what waits
        /// in them.
        public let adopted: Set<String>
        /// The process id of the successor, for the service manager; 0 if the kernel does not tell.
        public let successor: Int32
    }

    /// How long a successor may be silent.
    public static let patience = Duration.seconds(60)

    let loop: EventLoop
    let log: Log
    let patience: Duration
    private let name: SocketAddress
    private let offered: () -> [(address: String, descriptors: [Int32])]
    /// The subjects that are kept out, and for how many seconds more.
    let revoked: () -> [(subject: String, seconds: Int)]
    private let released: (Release) -> Void
    /// `nil` after `close`.
    private var acceptor: Acceptor?
    /// The successor; there is one at a time.
    private var connection: TakeoverConnection?

    /// Starts to listen at `name`. If this gateway itself took over, it uses the socket in `taken`.
    ///
    /// - Parameters:
    /// - sockets: returns every listener with its configured address and its sockets. They stay the caller's.
    /// - revoked: returns the subjects that are kept out, and for how many seconds more.
    /// - released: called when a successor serves: stop accepting at once.
    /// - Throws: EADDRINUSE if another process listens at the name.
    public init(
        name: SocketAddress, taken: TakenSockets? = nil, loop: EventLoop, log: Log, patience: Duration = patience,
        sockets: @escaping () -> [(address: String, descriptors: [Int32])],
        revoked: @escaping () -> [(subject: String, seconds: Int)] = { [] }, released: @escaping (Release) -> Void
    ) throws(SystemError) {
        self.name = name
        self.loop = loop
        self.log = log
        self.patience = patience
        self.offered = sockets
        self.revoked = revoked
        self.released = released
        let socket: Int32
        if let taken = taken?.takeName() {
            socket = taken
        } else {
            socket = try Kernel.listen(name, sharedByWorkers: false)
        }
        let acceptor = Acceptor(socket, on: loop, for: self)
        self.acceptor = acceptor
        do throws(SystemError) {
            try acceptor.start()
        } catch {
            acceptor.close(acceptingAll: false)
            throw error
        }
    }

    /// Stops waiting for successors, because a gateway that drains has nothing to offer. A successor that waits for its offer is refused.
    public func close() {
        self.connection?.refuse("the running gateway drains")
        self.stopListening()
    }

    /// Whether there is a successor that does not serve yet.
    var isBusy: Bool { self.connection != nil }

    private func stopListening() {
        self.acceptor?.close(acceptingAll: false)
        self.acceptor = nil
    }

    // MARK: - For the connection

    /// All that is offered: the listeners, and the socket of this server, so that the name is never free.
    func offer() -> [(address: String, descriptors: [Int32])] {
        guard let acceptor = self.acceptor else { return self.offered() }
        return self.offered() + [(address: self.name.offeredName, descriptors: [acceptor.descriptor])]
    }

    func release(adopted: Set<String>, successor: Int32) {
        self.stopListening()
        self.released(Release(adopted: adopted.subtracting([self.name.offeredName]), successor: successor))
    }

    func ended(_ connection: TakeoverConnection) {
        if self.connection === connection { self.connection = nil }
    }
}

extension TakeoverServer: AcceptorOwner {
    /// Successors are few, so there is always room.
    public func room(for acceptor: Acceptor) -> Acceptor.Room { .free }

    /// Begins a takeover, or refuses it.
    public func accepted(_ socket: Int32, from address: SocketAddress, by acceptor: Acceptor) {
        do throws(SystemError) {
            let peer = try Kernel.peer(socket)
            let connection = try TakeoverConnection(socket, process: peer.process, server: self)
            guard peer.user == OwnProcess.user || peer.user == 0 else {
                return connection.refuse("user \(peer.user) may not take over from user \(OwnProcess.user)")
            }
            guard !self.isBusy else { return connection.refuse("another takeover is under way") }
            self.connection = connection
        } catch {
            Kernel.close(socket)
            self.log.write(.warning, "takeover-failed", reason: "\(error)")
        }
    }
}
