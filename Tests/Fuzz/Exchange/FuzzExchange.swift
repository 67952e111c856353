import Configuration
import Fuzzing
import HTTP1
import Sessions

@testable import Admission

/// A plain request that is passed to a backend, and its answer. The fuzzer's bytes choose what both sides send, in which pieces and order
/// it arrives, and how the backend ends. What goes on is read as what came, and is whole only where that was.
@main
enum FuzzExchange {
    static func main() {
        fuzz { bytes in
            var choices = Choices(bytes)
            let flags = choices.byte()
            let limit = choices.pick([1 << 20, 0, 8])
            let order = choices.bytes(6)
            let clientLength = Int(choices.byte()) << 8 | Int(choices.byte())
            let fromClient = choices.bytes(clientLength)
            let fromBackend = choices.rest()

            var exchange = PassedExchange(bodyLimit: limit, isReused: flags & 1 != 0)
            self.run(&exchange, fromClient, fromBackend, order, endsInOrder: flags & 2 != 0)
            exchange.check()

            var atOnce = PassedExchange(bodyLimit: limit, isReused: flags & 1 != 0)
            atOnce.received(fromClient: fromClient[...])
            atOnce.received(fromBackend: fromBackend[...])
            atOnce.backendEnded(inOrder: flags & 2 != 0)
            atOnce.clientLeft()
            atOnce.check()
            expect(
                exchange.isAdmitted == atOnce.isAdmitted, "whether a request is passed on depends on the pieces")
        }
    }

    /// Each byte of `order` is a side (the highest bit: the backend) and how many bytes come from it; 0 ends a backend's connection that
    /// has not answered. They repeat until all has come.
    private static func run(
        _ exchange: inout PassedExchange, _ fromClient: [UInt8], _ fromBackend: [UInt8], _ order: [UInt8],
        endsInOrder: Bool
    ) {
        var client = fromClient[...]
        var backend = fromBackend[...]
        var step = 0
        while !client.isEmpty || (exchange.isAdmitted && !backend.isEmpty) {
            let byte = order.isEmpty ? 0 : order[step % order.count]
            let size = max(1, Int(byte & 0x7F))
            if byte == 0x80, step < order.count { exchange.backendEnded(inOrder: endsInOrder) }
            if client.isEmpty || (exchange.isAdmitted && byte & 0x80 != 0 && !backend.isEmpty) {
                exchange.received(fromBackend: backend.prefix(size))
                backend = backend.dropFirst(size)
            } else {
                exchange.received(fromClient: client.prefix(size))
                client = client.dropFirst(size)
            }
            step += 1
        }
        exchange.backendEnded(inOrder: endsInOrder)
        exchange.clientLeft()
    }
}
