public import System

/// Takes the listening sockets of a running gateway, at start, before there are workers. It blocks until the running gateway answers or
/// the time is over.
public enum TakeoverClient {
    /// The outcome of one read.
    enum Received {
        case received
        case ended
        case nothing
        case failed(String)
    }

    /// Asks the gateway that waits at `name` for its sockets.
    ///
    /// - Parameter limit: how long the whole offer may take.
    /// - Returns: copies of its sockets; none if no gateway waits there.
    /// - Throws: one line that says why it does not give them.
    public static func takeOver(
        name: SocketAddress, within limit: Duration = .seconds(10)
    ) throws(StartError) -> TakenSockets {
        let connection: Int32
        do throws(SystemError) {
            connection = try Kernel.connect(name)
        } catch {
            if error.isConnectionRefused { return TakenSockets() }
            throw StartError("cannot take over: \(error)")
        }
        var side = SuccessorSide()
        do throws(StartError) {
            let process = try self.checkPeer(connection)
            try self.receiveOffer(connection, &side, until: .now() + limit)
            return TakenSockets(connection, process: process, side: side, name: name)
        } catch {
            for socket in side.unclaimed + side.listeners.flatMap(\.sockets) { Kernel.close(socket) }
            Kernel.close(connection)
            throw error
        }
    }

    /// Checks the user of the other process, since any process can listen at the name. Returns its process id.
    private static func checkPeer(_ connection: Int32) throws(StartError) -> Int32 {
        let peer: Kernel.Peer
        do throws(SystemError) { peer = try Kernel.peer(connection) } catch {
            throw StartError("cannot take over: \(error)")
        }
        guard peer.user == OwnProcess.user || peer.user == 0 else {
            throw StartError(
                "cannot take over: the process that waits for a successor is user \(peer.user)'s, not this user's")
        }
        return peer.process
    }

    private static func receiveOffer(
        _ connection: Int32, _ side: inout SuccessorSide, until deadline: MonotonicInstant
    ) throws(StartError) {
        self.send(connection, SuccessorSide.greeting, until: deadline)
        while side.phase == .waiting {
            switch self.receive(connection, into: &side, until: deadline) {
            case .received: break
            case .ended: throw StartError("cannot take over: the running gateway ended the connection")
            case .nothing: throw StartError("cannot take over: the running gateway does not answer")
            case .failed(let reason): throw StartError("cannot take over: \(reason)")
            }
        }
        if case .refused(let reason) = side.phase { throw StartError("cannot take over: \(reason)") }
        for listener in side.listeners {
            for socket in listener.sockets {
                guard let fault = Kernel.listeningFault(socket) else { continue }
                throw StartError("cannot take over: the socket that was handed over for \(listener.address) \(fault)")
            }
        }
    }

    // MARK: - Bytes

    /// Sends all of `bytes`, until the peer has ended or accepts no more. Its last message, which is read next, says why.
    static func send(_ connection: Int32, _ bytes: [UInt8], until deadline: MonotonicInstant) {
        var rest = bytes[...]
        while !rest.isEmpty {
            switch Kernel.send(connection, rest.span) {
            case .sent(let count): rest = rest.dropFirst(count)
            case .wouldBlock:
                guard Kernel.waitToWrite(connection, within: deadline - .now()) else { return }
            case .failed: return
            }
        }
    }

    /// Waits for bytes and descriptors, and passes them to `side`.
    static func receive(
        _ connection: Int32, into side: inout SuccessorSide, until deadline: MonotonicInstant
    ) -> Received {
        guard Kernel.waitToRead(connection, within: deadline - .now()) else { return .nothing }
        var buffer = [UInt8](repeating: 0, count: 4096)
        var span = buffer.mutableSpan
        var descriptors: [Int32] = []
        switch Kernel.receive(connection, into: &span, descriptors: &descriptors) {
        case .bytes(let count, _):
            do throws(TakeoverError) {
                try side.received(buffer[..<count], descriptors: descriptors)
                return .received
            } catch {
                return .failed(error.description)
            }
        case .wouldBlock: return .received
        case .end: return .ended
        case .failed(let error): return error.isConnectionReset ? .ended : .failed(error.description)
        }
    }
}
