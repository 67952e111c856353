package import System

/// How this process takes the place of another, and how another can take its.
package struct RestartPlan: Sendable {
    /// Where a running gateway with the same configuration waits for its successor.
    package var name: SocketAddress
    /// Whether this process takes the listening sockets from it.
    package var takesOver: Bool
    /// The program that is started as our successor upon SIGUSR2, and its arguments, the first of which is its name.
    package var program: String
    package var arguments: [String]
    /// What our successor reads on standard input: a configuration that came by a pipe, which it can have of us only.
    package var input: [UInt8]?

    package init(
        name: SocketAddress, takesOver: Bool, program: String, arguments: [String], input: [UInt8]? = nil
    ) {
        self.name = name
        self.takesOver = takesOver
        self.program = program
        self.arguments = arguments
        self.input = input
    }
}

/// Listening sockets that were open before this process was started.
final class InheritedSockets {
    private var activated: ActivatedSockets
    /// Addresses whose sockets are the service manager's, the files of Unix sockets included.
    private var lent: Set<SocketAddress> = []
    /// Those of the gateway that runs.
    let taken: TakenSockets
    private let plan: RestartPlan?
    /// How long a gateway may take to say which addresses are its, for a hint.
    private static let limit = Duration.seconds(2)

    /// - Throws: why they cannot be had.
    init(_ plan: RestartPlan?) throws(StartError) {
        self.plan = plan
        self.activated = try ActivatedSockets.ofThisProcess()
        if let plan, plan.takesOver {
            self.taken = try TakeoverClient.takeOver(name: plan.name)
        } else {
            self.taken = TakenSockets()
        }
    }

    /// The sockets of a listener at `address`; empty: it has to be opened.
    func take(_ address: SocketAddress) -> [Int32] {
        let taken = self.taken.take(address)
        guard taken.isEmpty else { return taken }
        let activated = self.activated.take(address)
        if !activated.isEmpty { self.lent.insert(address) }
        return activated
    }

    /// For the listeners of this process.
    var source: SocketSource {
        SocketSource(
            take: { [unowned self] in self.take($0) }, isLent: { [unowned self] in self.isLent($0) },
            hint: { [unowned self] in self.hint($0) })
    }

    /// What is known of whoever listens at an address that is in use.
    private func hint(_ address: SocketAddress) -> String {
        guard let plan else { return "" }
        // A configuration that came by a pipe is known by what it says.
        let configuration = plan.input == nil ? "file" : "text"
        guard !plan.takesOver else {
            return self.taken.predecessor == nil ? "no gateway that runs with this \(configuration) was found" : ""
        }
        return self.isGateways(address)
            ? "a gateway with the same \(configuration) is there, and --takeover takes its place" : ""
    }

    /// Asks the gateway that waits for a successor with the same configuration whether the address is its: what it offers says so, and is given
    /// back.
    private func isGateways(_ address: SocketAddress) -> Bool {
        guard let plan else { return false }
        let offered = try? TakeoverClient.takeOver(name: plan.name, within: Self.limit)
        let sockets = offered?.take(address) ?? []
        for socket in sockets { Kernel.close(socket) }
        return !sockets.isEmpty
    }

    /// Whether the file of a Unix socket is not ours to remove.
    func isLent(_ address: SocketAddress) -> Bool { self.lent.contains(address) }

    /// To be called when every listener has its own.
    ///
    /// - Throws: the service manager opened a socket that is nobody's.
    func finish() throws(StartError) { try self.activated.finish() }
}

extension SocketAddress {
    /// As predecessor and successor name it to each other, of whatever version they are.
    var offeredName: String { if case .abstract(let name) = self { "@" + name } else { self.description } }
}
