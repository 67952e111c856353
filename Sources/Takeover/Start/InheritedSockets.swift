public import System

/// Listening sockets that were open before this process started, given by the service manager or by a running gateway.
public final class InheritedSockets {
    private var activated: ActivatedSockets
    /// Addresses with sockets of the service manager, which also owns the files of Unix sockets.
    private var lent: Set<SocketAddress> = []
    /// The sockets of the running gateway.
    public let taken: TakenSockets
    private let plan: RestartPlan?
    /// How long to wait for a running gateway to name its addresses, for a hint.
    private static let limit = Duration.seconds(2)

    /// Takes all sockets that are given to this process.
    ///
    /// - Throws: one line that says why they cannot be used.
    public init(_ plan: RestartPlan?) throws(StartError) {
        self.plan = plan
        self.activated = try ActivatedSockets.ofThisProcess()
        if let plan, plan.takesOver {
            self.taken = try TakeoverClient.takeOver(name: plan.name)
        } else {
            self.taken = TakenSockets()
        }
    }

    /// Takes the sockets of a listener at `address`. The caller then owns them. If there are none, it has to open one.
    public func take(_ address: SocketAddress) -> [Int32] {
        let taken = self.taken.take(address)
        guard taken.isEmpty else { return taken }
        let activated = self.activated.take(address)
        if !activated.isEmpty { self.lent.insert(address) }
        return activated
    }

    /// These sockets, for the listeners of this process.
    public var source: SocketSource {
        SocketSource(
            take: { [unowned self] in self.take($0) }, isLent: { [unowned self] in self.isLent($0) },
            hint: { [unowned self] in self.hint($0) })
    }

    /// What is known of the process that listens at an address in use.
    private func hint(_ address: SocketAddress) -> String {
        guard let plan else { return "" }
        // A configuration that came by a pipe is identified by its text.
        let configuration = plan.input == nil ? "file" : "text"
        guard !plan.takesOver else {
            return self.taken.predecessor == nil ? "no gateway that runs with this \(configuration) was found" : ""
        }
        return self.isGateways(address)
            ? "a gateway runs with the same \(configuration); --takeover takes over from it" : ""
    }

    /// Whether the gateway that runs with the same configuration listens at the address. It is asked for an offer, and the connection is
    /// closed then.
    private func isGateways(_ address: SocketAddress) -> Bool {
        guard let plan else { return false }
        let offered = try? TakeoverClient.takeOver(name: plan.name, within: Self.limit)
        let sockets = offered?.take(address) ?? []
        for socket in sockets { Kernel.close(socket) }
        return !sockets.isEmpty
    }

    /// Whether the service manager owns the file of a Unix socket, so that this process must not remove it.
    public func isLent(_ address: SocketAddress) -> Bool { self.lent.contains(address) }

    /// Call this when every listener has its sockets.
    ///
    /// - Throws: one line, if the service manager opened a socket that no listener took.
    public func requireAllTaken() throws(StartError) { try self.activated.requireAllTaken() }
}
