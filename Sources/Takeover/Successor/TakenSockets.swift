public import System

/// The listening sockets that a running gateway handed to this one, and the connection to it. Sockets that are not taken are closed.
public final class TakenSockets {
    /// What became of the predecessor.
    public enum End: Equatable, Sendable {
        /// There was none.
        case none
        /// It has stopped accepting, and drains.
        case released
        /// It ended by itself. Its sockets are here.
        case gone
        /// It does not answer, and may still accept; then both processes serve.
        case silent
    }

    /// The running gateway's process; `nil`: there was none, and nothing was taken. 0 where the kernel does not say.
    public let predecessor: Int32?

    private let connection: Int32
    private var side: SuccessorSide
    private var left: [SuccessorSide.Offered]
    /// The socket at which the predecessor waited for us.
    private var nameSocket: Int32?
    private var adopted: [String] = []
    private var isOpen: Bool

    /// Nothing.
    init() {
        self.predecessor = nil
        self.connection = -1
        self.side = SuccessorSide()
        self.left = []
        self.isOpen = false
    }

    /// Takes over the connection and the sockets.
    ///
    /// - Parameter name: where the predecessor waited; its socket is among those that it offered.
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

    /// Takes the sockets of a listener at `address`, as the new configuration has it; empty: it is new, and has to be opened. The caller
    /// then owns them.
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

    /// The socket at which the predecessor waits for successors.
    func takeName() -> Int32? {
        defer { self.nameSocket = nil }
        return self.nameSocket
    }

    // MARK: - Ready

    /// Says that this gateway serves: the predecessor stops accepting and drains. To be called when the workers accept, and before a
    /// `TakeoverServer` is made. Waits for the answer, which comes at once from a gateway that is alive.
    ///
    /// Sockets that were not taken are closed first. That resets no connection: the predecessor has them, too, and accepts what waits there
    /// before it closes them.
    ///
    /// - Throws: the predecessor carries on, so this gateway must not.
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
