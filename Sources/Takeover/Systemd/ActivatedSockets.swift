public import System

/// Listening sockets that the service manager opened (socket activation, sd_listen_fds(3)). It keeps the ports while no gateway runs, and
/// the gateway needs no privilege for ports below 1024.
public struct ActivatedSockets {
    private struct Activated {
        let descriptor: Int32
        let address: SocketAddress
        /// The name in the socket unit; without one it is `gateway.socket`.
        let name: String?
    }

    private static let variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]
    /// The first descriptor that the service manager passes (SD_LISTEN_FDS_START).
    private static let first: Int32 = 3

    private var left: [Activated] = []

    /// The sockets that this process was started with. Call it once, before the first thread starts: it removes the variables from the
    /// environment, so that no child process uses the sockets.
    ///
    /// - Throws: one line that says which socket cannot be used.
    public static func ofThisProcess() throws(StartError) -> ActivatedSockets {
        let sockets = try ActivatedSockets(environment: OwnProcess.environment, process: OwnProcess.number)
        for name in Self.variables { OwnProcess.forget(name) }
        return sockets
    }

    /// - Parameters:
    /// - environment: returns the value of a variable.
    /// - process: the id of this process. Sockets for another process are ignored.
    ///   - first: the first descriptor.
    init(
        environment: (String) -> String?, process: Int32, first: Int32 = Self.first
    ) throws(StartError) {
        guard let forProcess = environment("LISTEN_PID"), let count = environment("LISTEN_FDS") else { return }
        guard Int32(forProcess) == process else { return }
        guard let count = Int32(count), count >= 0, count <= .max - first else {
            throw StartError("LISTEN_FDS is `\(count)`, which is no number of sockets")
        }
        let names = environment("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        for index in 0..<count {
            let name = Int(index) < names.count ? String(names[Int(index)]) : nil
            self.left.append(try Self.adopt(first + index, name))
        }
    }

    private static func adopt(_ descriptor: Int32, _ name: String?) throws(StartError) -> Activated {
        let label = "descriptor \(descriptor)" + (name.map { " (\($0))" } ?? "") + " of LISTEN_FDS"
        if let fault = Kernel.listeningFault(descriptor) { throw StartError("\(label) \(fault)") }
        do throws(SystemError) { try Kernel.adopt(descriptor) } catch {
            throw StartError("\(label) cannot be used: \(error)")
        }
        guard let address = Kernel.localAddress(descriptor) else {
            throw StartError("\(label) is of a family that the gateway does not know")
        }
        return Activated(descriptor: descriptor, address: address, name: name)
    }

    /// Takes the sockets of a listener at `address`. The caller then owns them, but not the file of a Unix socket. Empty if there are
    /// none.
    public mutating func take(_ address: SocketAddress) -> [Int32] {
        let taken = self.left.filter { $0.address.serves(address) }
        self.left.removeAll { $0.address.serves(address) }
        return taken.map(\.descriptor)
    }

    /// Call this when every listener has taken its sockets.
    ///
    /// - Throws: one line, if a socket is left. Its clients would wait forever.
    public func requireAllTaken() throws(StartError) {
        guard let socket = self.left.first else { return }
        let name = socket.name.map { " (\($0))" } ?? ""
        throw StartError("the service manager opened \(socket.address)\(name), but no listener has that address")
    }
}
