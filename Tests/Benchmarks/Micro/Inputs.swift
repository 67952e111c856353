import WebSocketProtocol

/// The benchmarks' input: the same bytes in every run.
enum Inputs {
    /// As much as a worker reads from a socket at once.
    static let size = 64 << 10

    /// Frames with `payload` bytes, as many as fit into one read.
    ///
    /// - Parameter masked: whether they are a client's frames, each with its own key.
    static func frames(payload: Int, masked: Bool) -> (bytes: [UInt8], count: Int) {
        var random = Random()
        var bytes: [UInt8] = []
        var count = 0
        while true {
            let key = masked ? MaskingKey(bits: UInt32(truncatingIfNeeded: random.next())) : nil
            let header = FrameHeader(opcode: .binary, payloadLength: payload, maskingKey: key)
            guard bytes.count + header.encodedLength + payload <= Self.size else { return (bytes, count) }
            header.append(to: &bytes)
            bytes.append(contentsOf: Self.noise(payload, &random))
            count += 1
        }
    }

    /// Bytes that cannot be compressed.
    static func noise(_ count: Int) -> [UInt8] {
        var random = Random()
        return Self.noise(count, &random)
    }

    private static func noise(_ count: Int, _ random: inout Random) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    /// What an application may send: JSON records with repeating keys and varying values.
    static func json(_ count: Int) -> [UInt8] {
        let words = ["order", "filled", "pending", "alice", "bob", "the", "price", "of", "message", "delivered"]
        var random = Random()
        var text = ""
        while text.utf8.count < count {
            let note = (0..<3 + random.below(6)).map { _ in words[random.below(words.count)] }
            text += """
                {"id":\(random.next() >> 40),"user":"\(words[random.below(words.count)])","price":\
                \(random.next() >> 50).\(random.next() >> 58),"note":"\(note.joined(separator: " "))"},

                """
        }
        return Array(text.utf8.prefix(count))
    }

    /// Text in which half of the characters have 2, 3 or 4 bytes. It ends with a whole character.
    static func mixedText(_ count: Int) -> [UInt8] {
        let words = ["plain ", "grüße ", "ελληνικά ", "日本語 ", "🙂🚀 ", "ordinary words ", "naïve "]
        var random = Random()
        var bytes: [UInt8] = []
        while true {
            let word = words[random.below(words.count)]
            guard bytes.count + word.utf8.count <= count else { break }
            bytes.append(contentsOf: word.utf8)
        }
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "."), count: count - bytes.count))
        return bytes
    }

    /// `bytes`, masked with `key` from their beginning on.
    static func masked(_ bytes: [UInt8], with key: MaskingKey) -> [UInt8] {
        var bytes = bytes
        var span = bytes.mutableSpan
        Masking.apply(key, to: &span, range: 0..<span.count)
        return bytes
    }

    /// SplitMix64: the same numbers each time.
    struct Random {
        private var state: UInt64 = 0x0123_4567_89AB_CDEF

        mutating func next() -> UInt64 {
            self.state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = self.state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return mixed ^ mixed >> 31
        }

        mutating func below(_ limit: Int) -> Int { Int(truncatingIfNeeded: self.next() >> 33) % limit }
    }
}
