import Glibc
import System
import WebSocketProtocol

/// A client on a socket that, unlike TCP, keeps packets apart: each read returns what one system call sent.
final class PacketClient {
    /// The gateway's end; the gateway closes it.
    let near: Int32
    private let far: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)

    init() {
        var pair: [Int32] = [-1, -1]
        // The kernel writes two descriptors.
        let result = unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair)
        precondition(result == 0, "no sockets")
        (self.near, self.far) = (pair[0], pair[1])
    }

    deinit { Kernel.close(self.far) }

    /// Sends one packet.
    func send(_ bytes: [UInt8]) {
        guard case .sent(bytes.count) = Kernel.send(self.far, bytes.span) else {
            fatalError("the socket does not take \(bytes.count) bytes")
        }
    }

    /// Messages in one packet, masked with zeros.
    func send(messages: [[UInt8]]) {
        var bytes: [UInt8] = []
        for message in messages {
            let header = FrameHeader(
                fin: true, rsv1: false, opcode: .binary, payloadLength: message.count, maskingKey: MaskingKey(bits: 0))
            header.append(to: &bytes)
            bytes += message
        }
        self.send(bytes)
    }

    /// The packets that came so far.
    func receive() -> [[UInt8]] {
        var packets: [[UInt8]] = []
        while true {
            var span = self.buffer.mutableSpan
            guard case .bytes(let count, _) = Kernel.receive(self.far, into: &span) else { return packets }
            packets.append(Array(self.buffer[..<count]))
        }
    }

    /// The payloads of binary messages of up to 125 bytes: the packets have no others.
    static func payloads(_ packets: [[UInt8]]) -> [[UInt8]] {
        var payloads: [[UInt8]] = []
        for packet in packets {
            var position = 0
            while position < packet.count {
                precondition(packet[position] == 0x82 && packet[position + 1] < 126, "another frame")
                let start = position + 2
                position = start + Int(packet[position + 1])
                payloads.append(Array(packet[start..<position]))
            }
        }
        return payloads
    }
}
