internal import Configuration
internal import EventLoop
internal import TLS

/// The listeners that the gateway has, on the control thread: opens those that a configuration adds, and says which it removes.
struct ListenerSet {
    private(set) var listeners: [ListenerBlueprint] = []
    private let workers: Int
    private var nextID = 0

    init(workers: Int) { self.workers = workers }

    /// What a new configuration makes of the listeners. Nothing is in force before `commit`.
    struct Change {
        fileprivate(set) var listeners: [ListenerBlueprint] = []
        /// Those that were not there before.
        fileprivate(set) var opened: [ListenerBlueprint] = []
        fileprivate(set) var removed: [ListenerBlueprint] = []
        fileprivate var nextID: Int

        /// Closes what was opened for it.
        func abandon() {
            for listener in self.opened {
                for socket in listener.sockets.joined() { Kernel.close(socket) }
                Kernel.removeSocketFile(listener.address)
            }
        }
    }

    /// Reads certificates, and opens the sockets of listeners that are new.
    ///
    /// - Parameter inherited: gives the sockets of an address that somebody opened for us; none: they are opened.
    /// - Throws: what is in the way; nothing is left open then.
    func prepare(
        _ settings: [ListenerSettings], inherited: (SocketAddress) -> [Int32] = { _ in [] }
    ) throws(StartError) -> Change {
        var change = Change(nextID: self.nextID)
        var present = self.listeners
        do throws(StartError) {
            for setting in settings {
                let index = present.firstIndex { $0.settings.address == setting.address }
                if let index {
                    change.listeners.append(try Self.renewed(present.remove(at: index), setting))
                } else {
                    let listener = try self.open(setting, id: change.nextID, inherited)
                    change.nextID += 1
                    change.opened.append(listener)
                    change.listeners.append(listener)
                }
            }
        } catch {
            change.abandon()
            throw error
        }
        change.removed = present
        return change
    }

    mutating func commit(_ change: Change) {
        self.listeners = change.listeners
        self.nextID = change.nextID
    }

    /// The listener with the TLS that it has now: certificates may have changed without a word in the configuration.
    private static func renewed(
        _ listener: ListenerBlueprint, _ settings: ListenerSettings
    ) throws(StartError) -> ListenerBlueprint {
        var tls = listener.tls
        if Self.isSelfSigned(settings), settings.tls == listener.settings.tls {
            // Made at start, it is as good as it was.
        } else if let new = try Credentials.server(settings) {
            // Tickets are good only where everything is as it was; keys alone open nothing.
            tls = (new, listener.tls?.tickets ?? TicketKeys())
        } else {
            tls = nil
        }
        return ListenerBlueprint(
            id: listener.id, settings: settings, configured: listener.configured, address: listener.address,
            sockets: listener.sockets, tls: tls)
    }

    private static func isSelfSigned(_ settings: ListenerSettings) -> Bool {
        if case .selfSigned? = settings.tls?.identity { return true }
        return false
    }

    // MARK: - Opening

    private func open(
        _ settings: ListenerSettings, id: Int, _ inherited: (SocketAddress) -> [Int32]
    ) throws(StartError) -> ListenerBlueprint {
        let tls = try Credentials.server(settings).map { ($0, TicketKeys()) }
        let address = try Self.resolve(settings.address)
        let given = inherited(address)
        if !given.isEmpty {
            return ListenerBlueprint(
                id: id, settings: settings, configured: address, address: Kernel.localAddress(given[0]) ?? address,
                sockets: self.deal(given), tls: tls)
        }
        do throws(SystemError) {
            let (sockets, bound) = try self.listen(address)
            return ListenerBlueprint(
                id: id, settings: settings, configured: address, address: bound, sockets: sockets.map { [$0] }, tls: tls
            )
        } catch {
            throw StartError("cannot listen on \(settings.address): \(error.reason)")
        }
    }

    /// Sockets that others opened: each has a queue of its own, so each needs a worker that accepts from it; a worker that would
    /// get none accepts from one of them together with another.
    private func deal(_ sockets: [Int32]) -> [[Int32]] {
        var dealt = [[Int32]](repeating: [], count: self.workers)
        for (index, socket) in sockets.enumerated() { dealt[index % self.workers].append(socket) }
        for index in dealt.indices where dealt[index].isEmpty {
            dealt[index] = [Kernel.duplicate(sockets[index % sockets.count])]
        }
        return dealt
    }

    /// Every address of both families is one socket; on a system without IPv6 it is every address of IPv4.
    private func listen(_ address: SocketAddress) throws(SystemError) -> (sockets: [Int32], address: SocketAddress) {
        do throws(SystemError) {
            return try Kernel.listen(address, forWorkers: self.workers)
        } catch {
            guard case .ipv6(high: 0, low: 0, let port, _) = address, error.isWithoutIPv6 else { throw error }
            return try Kernel.listen(.ipv4(0, port: port), forWorkers: self.workers)
        }
    }

    /// A host name is looked up here and now: whoever names a listener by one has it in /etc/hosts.
    private static func resolve(_ address: Address) throws(StartError) -> SocketAddress {
        switch address {
        case .unix(let path): return .unix(path: path)
        case .tcp(let host, let port):
            // No host: every address, of both families.
            if host.isEmpty { return .ipv6(high: 0, low: 0, port: port, scope: 0) }
            switch Resolver.addresses(of: host, port: port) {
            case .success(let addresses): return addresses[0]
            case .failure(let error): throw StartError("cannot listen on \(address): \(error.reason)")
            }
        }
    }
}
