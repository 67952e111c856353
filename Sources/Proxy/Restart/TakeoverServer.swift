internal import Configuration
package import Observability
package import System

/// Waits for a gateway that takes over from this one (`gateway run --takeover`), and hands it the listening sockets themselves: a
/// connection that waits in one is accepted by whichever process serves, and none is refused. On the control thread.
///
/// Only this user and root are served; the kernel says who it is. Until the successor says that it serves, nothing changes here, and
/// if it goes away before, nothing did.
package final class TakeoverServer {
    /// A successor serves.
    package struct Release: Equatable, Sendable {
        /// The addresses, as they were offered, that it goes on listening at. Their sockets live on in it: what waits in them is not ours
        /// to accept, and the file of a Unix socket not ours to remove. Others end with this process, so what waits there is.
        package let adopted: Set<String>
        /// Its process, for the service manager; 0 where the kernel does not say.
        package let successor: Int32
    }

    /// How long a successor may say nothing.
    package static let patience = Duration.seconds(60)

    let loop: EventLoop
    let log: Log
    let patience: Duration
    private let name: SocketAddress
    private let offered: () -> [(address: String, descriptors: [Int32])]
    private let released: (Release) -> Void
    private let listener: Int32
    private var isListening = true
    private var registration: EventLoop.Registration?
    private var pause: ControlTimer?
    /// One successor at a time.
    private var connection: TakeoverConnection?

    /// Starts to listen: at the name's socket that `taken` has, if this gateway took over itself, else at the name.
    ///
    /// - Parameters:
    ///   - sockets: every listener with the address that its configuration has, and the sockets it has. They are lent.
    ///   - released: the successor serves. To be done at once: accept no more.
    /// - Throws: EADDRINUSE where another process has the name.
    package init(
        name: SocketAddress, taken: TakenSockets? = nil, loop: EventLoop, log: Log, patience: Duration = patience,
        sockets: @escaping () -> [(address: String, descriptors: [Int32])], released: @escaping (Release) -> Void
    ) throws(SystemError) {
        self.name = name
        self.loop = loop
        self.log = log
        self.patience = patience
        self.offered = sockets
        self.released = released
        if let socket = taken?.takeName() {
            self.listener = socket
        } else {
            self.listener = try Kernel.listen(name, sharedByWorkers: false)
        }
        do throws(SystemError) {
            try self.watch()
        } catch {
            Kernel.close(self.listener)
            throw error
        }
    }

    private func watch() throws(SystemError) {
        self.registration = try self.loop.addReading(self.listener, self)
    }

    /// Takes no successor any more: a gateway that drains has nothing to hand over. One that waits for its offer is told.
    package func close() {
        self.connection?.refuse("the running gateway drains")
        self.stopListening()
    }

    /// There is a successor that is not ready yet.
    var isBusy: Bool { self.connection != nil }

    private func stopListening() {
        guard self.isListening else { return }
        self.isListening = false
        self.stopWatching()
        self.pause?.cancel()
        Kernel.close(self.listener)
    }

    private func stopWatching() {
        if let registration = self.registration { self.loop.remove(registration, self.listener) }
        self.registration = nil
    }

    /// The system has no descriptor left: trying again at once would spin.
    private func pauseAccepting() {
        self.stopWatching()
        self.pause = ControlTimer(self.loop, once: .seconds(1)) { [unowned self] in
            if (try? self.watch()) == nil { self.pauseAccepting() }
        }
    }

    // MARK: - For the connection

    /// Everything there is to hand over: the listeners, and the socket at which this server waits, so that the name never is without
    /// one.
    func offer() -> [(address: String, descriptors: [Int32])] {
        self.offered() + [(address: self.name.offeredName, descriptors: [self.listener])]
    }

    func release(adopted: Set<String>, successor: Int32) {
        self.stopListening()
        self.released(Release(adopted: adopted.subtracting([self.name.offeredName]), successor: successor))
    }

    func ended(_ connection: TakeoverConnection) {
        if self.connection === connection { self.connection = nil }
    }
}

extension TakeoverServer: ReadinessHandler {
    package func ready(_ readiness: Readiness) {
        while self.registration != nil {
            switch Kernel.accept(self.listener) {
            case .accepted(let socket, _): self.accepted(socket)
            case .wouldBlock: return
            case .failed: return self.pauseAccepting()
            }
        }
    }

    private func accepted(_ socket: Int32) {
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
