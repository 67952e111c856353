public import Configuration
internal import DataPlane
internal import Observability
internal import System
internal import TLS
internal import Takeover

/// The gateway's listeners, on the control thread. Opens those that a configuration adds, and says which it removes.
public struct ListenerSet {
    private(set) var listeners: [ListenerBlueprint] = []
    private let workers: Int
    private var nextID = 0

    init(workers: Int) { self.workers = workers }

    /// What is wrong with the group of a listener's socket; `nil` if nothing. For `gateway check`.
    public static func problem(in settings: ListenerSettings) -> String? {
        guard let access = settings.access else { return nil }
        do throws(StartError) {
            _ = try SocketFileAccess.find(access, of: "listener \(settings.address)")
            return nil
        } catch {
            return error.description
        }
    }

    /// How a new configuration changes the listeners. It takes effect with `commit`.
    struct Change {
        fileprivate(set) var listeners: [ListenerBlueprint] = []
        /// The listeners that are new.
        fileprivate(set) var opened: [ListenerBlueprint] = []
        fileprivate(set) var removed: [ListenerBlueprint] = []
        /// The ids of those of `opened` that use sockets of another process. The files of their Unix sockets must not be removed.
        fileprivate var inherited: Set<Int> = []
        /// The mode and group to set on socket files that exist already.
        fileprivate var accesses: [(path: String, access: SocketFileAccess)] = []
        fileprivate var nextID: Int

        fileprivate mutating func set(_ access: SocketFileAccess?, of address: SocketAddress, _ source: SocketSource) {
            guard let access, case .unix(let path) = address, !source.isLent(address) else { return }
            self.accesses.append((path, access))
        }

        /// Closes what was opened for this change.
        func close() {
            for listener in self.opened {
                for socket in listener.sockets.joined() { Kernel.close(socket) }
                if !self.inherited.contains(listener.id) { Kernel.removeSocketFile(listener.address) }
            }
        }
    }

    /// The addresses in `settings` that are new here and have a host name: look them up before `prepare`.
    func addressesToLookUp(_ settings: [ListenerSettings]) -> [Address] {
        let present = Set(self.listeners.map(\.settings.address))
        return settings.map(\.address).filter { address in
            guard case .tcp(let host, _) = address, !host.isEmpty else { return false }
            return !Resolver.isLiteral(host) && !present.contains(address)
        }
    }

    /// Makes the TLS contexts, and opens the sockets of new listeners.
    ///
    /// - Parameters:
    /// - findings: the files and groups that `settings` name, and the addresses that `addressesToLookUp` returned.
    /// - source: sockets that are open already; the others are opened.
    /// - Throws: one line that says what failed. Nothing stays open then.
    func prepare(
        _ settings: [ListenerSettings], _ findings: Findings = Findings(), from source: SocketSource = SocketSource()
    ) throws(StartError) -> Change {
        var change = Change(nextID: self.nextID)
        var present = self.listeners
        do throws(StartError) {
            for setting in settings {
                let index = present.firstIndex { $0.settings.address == setting.address }
                let access = try Self.access(setting, findings)
                if let index {
                    let old = present.remove(at: index)
                    change.listeners.append(try Self.renewed(old, setting, findings.files))
                    if setting.access != old.settings.access { change.set(access, of: old.configured, source) }
                } else {
                    let (listener, isInherited) = try self.open(
                        setting, findings, access, id: change.nextID, source)
                    if isInherited {
                        change.inherited.insert(listener.id)
                        change.set(access, of: listener.configured, source)
                    }
                    change.nextID += 1
                    change.opened.append(listener)
                    change.listeners.append(listener)
                }
            }
        } catch {
            change.close()
            throw error
        }
        change.removed = present
        return change
    }

    /// Puts a change in force.
    ///
    /// - Returns: what failed. The rest is in force.
    mutating func commit(_ change: Change) -> [StartError] {
        self.listeners = change.listeners
        self.nextID = change.nextID
        var failures: [StartError] = []
        for (path, access) in change.accesses {
            do throws(SystemError) { try Kernel.setAccess(of: path, to: access) } catch {
                failures.append(StartError("\(path) keeps its mode and group: \(error)"))
            }
        }
        return failures
    }

    /// The mode and group of a listener's socket file; `nil` if it has no file, or if the umask decides.
    private static func access(
        _ settings: ListenerSettings, _ findings: Findings
    ) throws(StartError) -> SocketFileAccess? {
        guard let access = settings.access else { return nil }
        let group = access.group.flatMap { findings.groups[$0] }
        return try SocketFileAccess(access, group: group, of: "listener \(settings.address)")
    }

    /// The listener with certificates as they are now: the files can change without the configuration.
    private static func renewed(
        _ listener: ListenerBlueprint, _ settings: ListenerSettings, _ files: FileSet
    ) throws(StartError) -> ListenerBlueprint {
        var tls = listener.tls
        if Self.isSelfSigned(settings), settings.tls == listener.settings.tls {
            // Keep the certificate that was made at start.
        } else if let new = try CertificateFiles.server(settings, files) {
            // The tickets stay valid only if all settings are the same, so the old keys do no harm.
            tls = (new, listener.tls?.tickets ?? TicketKeys())
        } else {
            tls = nil
        }
        return ListenerBlueprint(
            id: listener.id, settings: settings, configured: listener.configured, address: listener.address,
            sockets: listener.sockets, tls: tls, addresses: listener.addresses, scope: listener.scope)
    }

    private static func isSelfSigned(_ settings: ListenerSettings) -> Bool {
        if case .selfSigned? = settings.tls?.identity { return true }
        return false
    }

    // MARK: - Opening

    private func open(
        _ settings: ListenerSettings, _ findings: Findings, _ access: SocketFileAccess?, id: Int, _ source: SocketSource
    ) throws(StartError) -> (ListenerBlueprint, isInherited: Bool) {
        let tls = try CertificateFiles.server(settings, findings.files).map { ($0, TicketKeys()) }
        let address = try Self.socketAddress(settings.address, findings)
        let given = source.take(address)
        if !given.isEmpty {
            let listener = ListenerBlueprint(
                id: id, settings: settings, configured: address, address: Kernel.localAddress(given[0]) ?? address,
                sockets: self.deal(given), tls: tls)
            return (listener, isInherited: true)
        }
        do throws(SystemError) {
            let (sockets, bound) = try self.listen(address, access)
            let listener = ListenerBlueprint(
                id: id, settings: settings, configured: address, address: bound, sockets: sockets.map { [$0] }, tls: tls
            )
            return (listener, isInherited: false)
        } catch {
            let cure = Self.cure(of: error, at: settings.address, hint: source.hint(address))
            let what = error.call == "chown" ? "it cannot be given to its group: " : ""
            throw StartError("cannot listen on \(settings.address): \(what)\(error.reason)\(cure)")
        }
    }

    /// What an operator can do about it; empty if that is not known.
    private static func cure(
        of error: SystemError, at address: Address, hint: @autoclosure () -> String
    ) -> String {
        if error.isAddressInUse {
            let hint = hint()
            return hint.isEmpty ? "" : "; \(hint)"
        }
        guard error.isDenied, case .tcp(_, 1..<1024) = address else { return "" }
        return "; ports below 1024 are for root or a program with CAP_NET_BIND_SERVICE"
    }

    /// Deals sockets that another process opened to the workers. Each socket has its own queue, so each needs a worker. If there are
    /// fewer sockets than workers, some workers share one.
    private func deal(_ sockets: [Int32]) -> [[Int32]] {
        var dealt = [[Int32]](repeating: [], count: self.workers)
        for (index, socket) in sockets.enumerated() { dealt[index % self.workers].append(socket) }
        for index in dealt.indices where dealt[index].isEmpty {
            dealt[index] = [Kernel.duplicate(sockets[index % sockets.count])]
        }
        return dealt
    }

    /// Opens the sockets. On a system without IPv6, "every address" means every IPv4 address.
    private func listen(
        _ address: SocketAddress, _ access: SocketFileAccess?
    ) throws(SystemError) -> (sockets: [Int32], address: SocketAddress) {
        do throws(SystemError) {
            return try Kernel.listen(address, forWorkers: self.workers, access: access)
        } catch {
            guard case .ipv6(high: 0, low: 0, let port, _) = address, error.isWithoutIPv6 else { throw error }
            return try Kernel.listen(.ipv4(0, port: port), forWorkers: self.workers)
        }
    }

    private static func socketAddress(
        _ address: Address, _ findings: Findings
    ) throws(StartError) -> SocketAddress {
        switch address {
        case .unix(let path): return .unix(path: path)
        case .abstract(let name): return .abstract(name: name)
        case .tcp(let host, let port):
            // Without a host it is every address of both families.
            if host.isEmpty { return .ipv6(high: 0, low: 0, port: port, scope: 0) }
            // Parsing a literal address does not block.
            switch findings.addresses[address] ?? Resolver.literal(host, port: port) {
            case .success(let addresses): return addresses[0]
            case .failure(let error): throw StartError("cannot listen on \(address): \(error.reason)")
            }
        }
    }
}

extension ListenerBlueprint {
    /// The log line that says that it listens.
    var record: LogRecord {
        var record = LogRecord(.info, "listening")
        record.add("address", self.address.description)
        record.add("tls", self.tls != nil)
        return record
    }
}
