internal import WebSocketProtocol

extension MaskingKey {
    /// A key that nobody can guess (RFC 6455 section 5.3): from the system's generator.
    static var random: MaskingKey { MaskingKey(bits: .random(in: .min ... .max)) }
}
