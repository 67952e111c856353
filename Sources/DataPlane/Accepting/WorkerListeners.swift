internal import Configuration
internal import Connections
internal import System
internal import TLS

/// One worker's listeners, and their acceptors.
final class WorkerListeners {
    private var listeners: [Int: Listener] = [:]
    private var acceptors: [Int: [Acceptor]] = [:]
    /// The listeners that the latest update removed: a connection that another worker accepted for one may still be on its way here.
    private var removed: [Int: Listener] = [:]

    subscript(id: Int) -> Listener? { self.listeners[id] ?? self.removed[id] }

    /// Replaces the listeners by those of `blueprints`: opens new ones, renews those with changed settings, and closes those that
    /// are gone, after accepting what waits there.
    ///
    /// - Parameters:
    ///   - worker: the worker's index.
    ///   - owner: gets the connections.
    /// - Throws: the first refusal of the system or of libssl. The other listeners are updated all the same.
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
        if let present, present.tlsSettings == blueprint.tls?.settings, present.settings == blueprint.settings {
            return
        }
        self.listeners[blueprint.id] = try Listener(blueprint, io: context.tlsIO)
        guard present == nil else { return }
        let acceptors = blueprint.sockets[worker].map { socket in
            // Accepted connections inherit this from the listening socket.
            Kernel.sendAtOnce(socket)
            return Acceptor(socket, tag: blueprint.id, on: context.loop, for: owner)
        }
        self.acceptors[blueprint.id] = acceptors
        for acceptor in acceptors { try acceptor.start() }
    }

    /// Closes all listeners.
    ///
    /// - Parameter leaving: the listeners with sockets that another process has, too. What waits there is left to it.
    func close(leaving: Set<Int>) {
        for (id, acceptors) in self.acceptors {
            for acceptor in acceptors { acceptor.close(acceptingAll: !leaving.contains(id)) }
        }
        self.acceptors = [:]
    }
}
