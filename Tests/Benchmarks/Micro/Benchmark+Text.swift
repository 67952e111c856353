import WebSocketProtocol

extension Benchmark {
    /// The UTF-8 validator, on plain text and on masked text.
    static var text: [Benchmark] {
        [
            Self.validate("validate-ascii", Inputs.json),
            Self.validate("validate-ascii-masked", Inputs.json, masked: true),
            Self.validate("validate-mixed", Inputs.mixedText),
            Self.validate("validate-mixed-masked", Inputs.mixedText, masked: true),
        ]
    }

    private static func validate(
        _ name: String, _ text: @escaping (Int) -> [UInt8], masked: Bool = false
    ) -> Benchmark {
        Benchmark(name, per: .kibibyte) {
            let key = masked ? MaskingKey(0x9C, 0x31, 0xE7, 0x58) : nil
            let text = text(Inputs.size)
            let bytes = key.map { Inputs.masked(text, with: $0) } ?? text
            return Work(units: bytes.count >> 10, expecting: 1) {
                var validator = UTF8Validator()
                return validator.consume(bytes.span, maskingKey: key) && validator.isComplete ? 1 : 0
            }
        }
    }
}
