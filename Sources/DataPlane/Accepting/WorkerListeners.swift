internal import Connections
internal import System
internal import TLS

/// The listeners of one worker, and the sockets that it accepts from.
final class WorkerListeners {
    private var listeners: [Int: Listener] = [:]
    private var acceptors: [Int: [Acceptor]] = [:]
    /// Those that the latest update removed: a connection that another worker accepted from one may still be on its way here.
    private var removed: [Int: Listener] = [:]

    subscript(id: Int) -> Listener? { self.listeners[id] ?? self.removed[id] }

    /// Makes the listeners those of `blueprints`: opens what is new, renews libssl contexts whose settings changed, and closes what
    /// is gone, after accepting what waits there.
    ///
    /// - Parameters:
    ///   - worker: its number.
    ///   - owner: what takes the connections.
    /// - Throws: what the system or libssl refuses. The others are updated all the same.
    func update(
        _ blueprints: [ListenerBlueprint], of worker: Int, _ context: ConnectionContext, for owner: any AcceptorOwner
    ) throws {
        self.removed = [:]
        var failure: (any Error)?
        for blueprint in blueprints {
            do {
                try self.update(blueprint, of: worker, context, for: owner)
            } catch {
                failure = error
            }
        }
        let ids = Set(blueprints.map(\.id))
        for id in self.listeners.keys where !ids.contains(id) {
            self.removed[id] = self.listeners.removeValue(forKey: id)
            for acceptor in self.acceptors.removeValue(forKey: id) ?? [] { acceptor.close(acceptingAll: true) }
        }
        if let failure { throw failure }
    }

    private func update(
        _ blueprint: ListenerBlueprint, of worker: Int, _ context: ConnectionContext, for owner: any AcceptorOwner
    ) throws {
        let present = self.listeners[blueprint.id]
        if let present, present.tlsSettings == blueprint.tls?.settings { return }
        self.listeners[blueprint.id] = try Listener(blueprint, io: context.tlsIO)
        guard present == nil else { return }
        let acceptors = blueprint.sockets[worker].map { socket in
            // Connections inherit it from the socket that they were accepted on.
            Kernel.sendAtOnce(socket)
            return Acceptor(socket, tag: blueprint.id, on: context.loop, for: owner)
        }
        self.acceptors[blueprint.id] = acceptors
        for acceptor in acceptors { try acceptor.start() }
    }

    /// Accepts no more.
    ///
    /// - Parameter leaving: what waits at these listeners is somebody else's, who has the same sockets.
    func close(leaving: Set<Int>) {
        for (id, acceptors) in self.acceptors {
            for acceptor in acceptors { acceptor.close(acceptingAll: !leaving.contains(id)) }
        }
        self.acceptors = [:]
    }
}
