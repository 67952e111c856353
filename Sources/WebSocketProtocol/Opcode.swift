/// What a frame is (RFC 6455 section 11.8). The reserved values are not here: a frame with one is a `Violation`.
package enum Opcode: UInt8, Hashable, Sendable {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    /// Close, ping and pong: at most 125 bytes of payload, never fragmented (RFC 6455 section 5.5).
    package var isControl: Bool { self.rawValue & 0x8 != 0 }
}
