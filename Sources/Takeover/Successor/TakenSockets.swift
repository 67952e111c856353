public import System

/// The listening sockets that a running gateway gave to this one, and the connection to it. Sockets that are not taken are closed.
public final class TakenSockets {
    /// How the takeover ended.
    public enum End: Equatable, Sendable {
        /// There was no predecessor.
        case none
        /// The predecessor has stopped accepting, and drains.
        case released
        /// The predecessor has ended. Its sockets are here.
        case gone
        /// The predecessor does not answer. Perhaps it still accepts; then both processes serve.
        case silent
    }

    /// The process id of the running gateway; 0 if the kernel does not tell, `nil` if none was running.
    public let predecessor: Int32?

    /// The subjects that the predecessor keeps out, and for how many seconds more. One may be there twice.
    public var revoked: [(subject: String, seconds: Int)] { self.side.revoked }

    private let connection: Int32
    private var side: SuccessorSide
    private var left: [SuccessorSide.Offered]
    /// The socket at which the predecessor waited for a successor.
    private var nameSocket: Int32?
    private var adopted: [String] = []
    private var isOpen: Bool

    /// No gateway was running.
    init() {
        self.predecessor = nil
        self.connection = -1
        self.side = SuccessorSide()
        self.left = []
        self.isOpen = false
    }

    /// Owns the connection and the sockets from now on.
    ///
    /// - Parameter name: the address at which the predecessor waited. It offered that socket with the others.
    init(_ connection: Int32, process: Int32, side: SuccessorSide, name: SocketAddress) {
        self.predecessor = process
        self.connection = connection
        self.side = side
        self.left = side.listeners.filter { $0.address != name.offeredName }
        self.nameSocket = side.listeners.first { $0.address == name.offeredName }?.sockets.first
        self.isOpen = true
    }

    deinit {
        self.closeLeft()
        self.closeConnection()
        if let socket = self.nameSocket { Kernel.close(socket) }
    }

    private func closeLeft() {
        for socket in self.left.flatMap(\.sockets) { Kernel.close(socket) }
        self.left = []
    }

    private func closeConnection() {
        if self.isOpen { Kernel.close(self.connection) }
        self.isOpen = false
    }

    // MARK: - Taking

    /// Takes the sockets of a listener at `address`, as the new configuration has it. The caller then owns them. Empty if the address is
    /// new: open it.
    public func take(_ address: SocketAddress) -> [Int32] {
        // Match the configured address first (also port 0), else the bound address.
        let index =
            self.left.firstIndex { $0.address == address.offeredName && !$0.sockets.isEmpty }
            ?? self.left.firstIndex { listener in
                listener.sockets.first.flatMap(Kernel.localAddress)?.serves(address) ?? false
            }
        guard let index else { return [] }
        let listener = self.left.remove(at: index)
        self.adopted.append(listener.address)
        return listener.sockets
    }

    /// Takes the socket at which the predecessor waited for a successor. The caller then owns it.
    func takeName() -> Int32? {
        defer { self.nameSocket = nil }
        return self.nameSocket
    }

    // MARK: - Ready

    /// Tells the predecessor that this gateway serves, so that it stops accepting and drains, and waits for its answer. Call it when the
    /// workers accept, and before a `TakeoverServer` is made.
    ///
    /// Sockets that were not taken are closed first. That resets no connection: the predecessor has these sockets too, and accepts what
    /// waits in them before it closes them.
    ///
    /// - Throws: one line that says why the predecessor carries on. This gateway must end then.
    public func ready(within limit: Duration = .seconds(10)) throws(StartError) -> End {
        guard self.predecessor != nil else { return .none }
        self.closeLeft()
        defer { self.closeConnection() }
        let deadline = MonotonicInstant.now() + limit
        TakeoverClient.send(self.connection, SuccessorSide.ready(adopted: self.adopted), until: deadline)
        while true {
            switch TakeoverClient.receive(self.connection, into: &self.side, until: deadline) {
            case .nothing: return .silent
            case .ended: return .gone
            case .failed(let reason): throw StartError("cannot take over: \(reason)")
            case .received: break
            }
            switch self.side.phase {
            case .released: return .released
            case .refused(let reason): throw StartError("cannot take over: \(reason)")
            case .waiting, .offered: break
            }
        }
    }
}
