public import System

/// Listening sockets that were open before this process started: from the service manager, or from a running gateway.
public final class InheritedSockets {
    private var activated: ActivatedSockets
    /// Addresses whose sockets are the service manager's, the files of Unix sockets included.
    private var lent: Set<SocketAddress> = []
    /// Those of the running gateway.
    public let taken: TakenSockets
    private let plan: RestartPlan?
    /// How long a running gateway may take to name its addresses, for a hint.
    private static let limit = Duration.seconds(2)

    /// - Throws: why they cannot be taken.
    public init(_ plan: RestartPlan?) throws(StartError) {
        self.plan = plan
        self.activated = try ActivatedSockets.ofThisProcess()
        if let plan, plan.takesOver {
            self.taken = try TakeoverClient.takeOver(name: plan.name)
        } else {
            self.taken = TakenSockets()
        }
    }

    /// The sockets of a listener at `address`; empty: it has to be opened.
    public func take(_ address: SocketAddress) -> [Int32] {
        let taken = self.taken.take(address)
        guard taken.isEmpty else { return taken }
        let activated = self.activated.take(address)
        if !activated.isEmpty { self.lent.insert(address) }
        return activated
    }

    /// For the listeners of this process.
    public var source: SocketSource {
        SocketSource(
            take: { [unowned self] in self.take($0) }, isLent: { [unowned self] in self.isLent($0) },
            hint: { [unowned self] in self.hint($0) })
    }

    /// What is known of the process that listens at an address in use.
    private func hint(_ address: SocketAddress) -> String {
        guard let plan else { return "" }
        // A configuration from a pipe has no path: its text identifies it.
        let configuration = plan.input == nil ? "file" : "text"
        guard !plan.takesOver else {
            return self.taken.predecessor == nil ? "no gateway that runs with this \(configuration) was found" : ""
        }
        return self.isGateways(address)
            ? "a gateway with the same \(configuration) is there, and --takeover takes its place" : ""
    }

    /// Asks the gateway that runs with the same configuration whether the address is its own. It answers by an offer, which is closed again.
    private func isGateways(_ address: SocketAddress) -> Bool {
        guard let plan else { return false }
        let offered = try? TakeoverClient.takeOver(name: plan.name, within: Self.limit)
        let sockets = offered?.take(address) ?? []
        for socket in sockets { Kernel.close(socket) }
        return !sockets.isEmpty
    }

    /// Whether the file of a Unix socket must not be removed by this process.
    public func isLent(_ address: SocketAddress) -> Bool { self.lent.contains(address) }

    /// To be called when every listener has its own.
    ///
    /// - Throws: the service manager opened a socket that no listener takes.
    public func finish() throws(StartError) { try self.activated.finish() }
}
