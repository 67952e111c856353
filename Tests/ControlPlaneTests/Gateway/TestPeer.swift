import System
import Testing
import WebSocketProtocol

/// One end of a WebSocket connection, written by hand: it shares no parser with the gateway.
final class TestPeer {
    struct Received: Equatable {
        let opcode: UInt8
        let fin: Bool
        let isMasked: Bool
        let payload: [UInt8]
    }

    let socket: TestSocket
    private let key: MaskingKey?

    private init(_ socket: TestSocket, key: MaskingKey?) {
        self.socket = socket
        self.key = key
    }

    // MARK: - Opening

    static func request(_ path: String) -> [UInt8] {
        let lines = [
            "GET \(path) HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    /// A client that has sent its request, with `early` behind it, and has not read the answer.
    static func asking(
        _ path: String, port: UInt16, tls: Bool = false, early: [UInt8] = [], receiveBuffer: Int32? = nil
    ) throws -> TestPeer {
        let socket = try TestSocket(port: port, tls: tls, receiveBuffer: receiveBuffer)
        socket.send(self.request(path) + early)
        return TestPeer(socket, key: MaskingKey(1, 2, 3, 4))
    }

    /// A client with an open session.
    static func client(
        _ path: String, port: UInt16, tls: Bool = false, early: [UInt8] = [], receiveBuffer: Int32? = nil
    ) throws -> TestPeer {
        let peer = try self.asking(path, port: port, tls: tls, early: early, receiveBuffer: receiveBuffer)
        try peer.expectUpgrade()
        return peer
    }

    func expectUpgrade() throws {
        let head = String(decoding: try self.socket.receive(until: "\r\n\r\n"), as: UTF8.self)
        guard head.hasPrefix("HTTP/1.1 101 ") else { throw PeerError.refused(head) }
        #expect(head.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
    }

    /// The next connection to `listener`, with its request read and not answered.
    static func asked(_ listener: TestListener) throws -> (peer: TestPeer, accept: String) {
        let socket = try listener.accept()
        let head = String(decoding: try socket.receive(until: "\r\n\r\n"), as: UTF8.self)
        let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("sec-websocket-key: ") }
        let key = try #require(line).dropFirst("sec-websocket-key: ".count)
        return (TestPeer(socket, key: nil), AcceptKey.value(for: String(key)))
    }

    /// - Parameter early: bytes to send together with the 101.
    static func server(_ listener: TestListener, early: [UInt8] = []) throws -> TestPeer {
        let (peer, accept) = try self.asked(listener)
        let head =
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: \(accept)\r\n\r\n"
        peer.socket.send(Array(head.utf8) + early)
        return peer
    }

    // MARK: - Frames

    func frame(_ opcode: Opcode, _ payload: [UInt8], fin: Bool = true) -> [UInt8] {
        Frame.encoded(opcode, payload: payload.span, fin: fin, maskingKey: self.key)
    }

    func send(_ opcode: Opcode, _ payload: [UInt8], fin: Bool = true) {
        self.socket.send(self.frame(opcode, payload, fin: fin))
    }

    func send(text: String) { self.send(.text, Array(text.utf8)) }

    func close(_ code: UInt16) { self.send(.close, [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)]) }

    func receive() throws -> Received {
        let start = try self.socket.receive(2)
        var length = Int(start[1] & 0x7F)
        if length == 126 {
            length = try self.socket.receive(2).reduce(0) { $0 << 8 | Int($1) }
        } else if length == 127 {
            length = try self.socket.receive(8).reduce(0) { $0 << 8 | Int($1) }
        }
        let isMasked = start[1] & 0x80 != 0
        let key = isMasked ? try self.socket.receive(4) : [0, 0, 0, 0]
        var payload = try self.socket.receive(length)
        if isMasked { payload = payload.enumerated().map { $1 ^ key[$0 % 4] } }
        return Received(opcode: start[0] & 0x0F, fin: start[0] & 0x80 != 0, isMasked: isMasked, payload: payload)
    }

    /// A whole message, in any number of frames.
    func receiveMessage() throws -> Received {
        var message = try self.receive()
        while !message.fin {
            let frame = try self.receive()
            #expect(frame.opcode == 0)
            message = Received(
                opcode: message.opcode, fin: frame.fin, isMasked: frame.isMasked,
                payload: message.payload + frame.payload)
        }
        return message
    }

    func receiveText() throws -> String {
        let frame = try self.receive()
        #expect(frame.opcode == 1)
        return String(decoding: frame.payload, as: UTF8.self)
    }

    /// The code of the next frame, which must be a Close; 0 if it has no code.
    func receiveClose() throws -> Int {
        let frame = try self.receive()
        #expect(frame.opcode == 8)
        return frame.payload.count < 2 ? 0 : Int(frame.payload[0]) << 8 | Int(frame.payload[1])
    }

    /// When this returns, the other side has handled everything that this peer sent.
    func barrier() throws {
        self.send(.ping, [7])
        #expect(try self.receive() == Received(opcode: 10, fin: true, isMasked: false, payload: [7]))
    }
}
