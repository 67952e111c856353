internal import Configuration
public import Connections
public import Observability
public import System

/// Waits for a gateway that takes over from this one (`gateway run --takeover`), and hands it the listening sockets themselves: a
/// connection that waits in one is accepted by the process that serves, and none is refused. On the control thread.
///
/// Only this user and root are served; the kernel says which user it is. Nothing changes here until the successor says that it serves.
public final class TakeoverServer {
    /// A successor serves.
    public struct Release: Equatable, Sendable {
        /// The addresses, as they were offered, at which it goes on listening. Their sockets live on in it: this process must not accept
        /// what waits in them, nor remove the file of a Unix socket. All other sockets end with this process, which accepts what waits there.
        public let adopted: Set<String>
        /// Its process, for the service manager; 0 if the kernel does not say.
        public let successor: Int32
    }

    /// How long a successor may be silent.
    public static let patience = Duration.seconds(60)

    let loop: EventLoop
    let log: Log
    let patience: Duration
    private let name: SocketAddress
    private let offered: () -> [(address: String, descriptors: [Int32])]
    private let released: (Release) -> Void
    /// `nil`: it takes no successor any more.
    private var acceptor: Acceptor?
    /// One successor at a time.
    private var connection: TakeoverConnection?

    /// Starts to listen: at the name's socket that `taken` has, if this gateway took over itself, else at the name.
    ///
    /// - Parameters:
    ///   - sockets: every listener with its configured address and its sockets. They are lent.
    ///   - released: the successor serves: stop accepting at once.
    /// - Throws: EADDRINUSE if another process has the name.
    public init(
        name: SocketAddress, taken: TakenSockets? = nil, loop: EventLoop, log: Log, patience: Duration = patience,
        sockets: @escaping () -> [(address: String, descriptors: [Int32])], released: @escaping (Release) -> Void
    ) throws(SystemError) {
        self.name = name
        self.loop = loop
        self.log = log
        self.patience = patience
        self.offered = sockets
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

    /// Stops taking successors: a gateway that drains has nothing to hand over. A successor that waits for its offer is told.
    public func close() {
        self.connection?.refuse("the running gateway drains")
        self.stopListening()
    }

    /// There is a successor that is not ready yet.
    var isBusy: Bool { self.connection != nil }

    private func stopListening() {
        self.acceptor?.close(acceptingAll: false)
        self.acceptor = nil
    }

    // MARK: - For the connection

    /// All that is handed over: the listeners, and the socket at which this server waits, so that the name is never free.
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
    public func room(for acceptor: Acceptor) -> Acceptor.Room { .free }

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
