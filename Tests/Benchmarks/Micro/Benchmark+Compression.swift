import WebSocketProtocol

extension Benchmark {
    /// permessage-deflate with the default memory: context, and windows of 4 KiB.
    static var compression: [Benchmark] {
        [
            Self.inflate("inflate-json", Inputs.json),
            Self.inflate("inflate-noise", Inputs.noise),
            Self.deflate("deflate-json", Inputs.json),
            Self.deflate("deflate-noise", Inputs.noise),
        ]
    }

    private static let direction = DeflateParameters.Direction(windowBits: 12, keepsContext: true)
    private static let messageSize = 4 << 10

    private static func messages(_ bytes: [UInt8]) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: Self.messageSize).map {
            Array(bytes[$0..<min($0 + Self.messageSize, bytes.count)])
        }
    }

    /// Units are KiB of output. The same messages can be inflated repeatedly, because none refers to bytes before the first.
    private static func inflate(_ name: String, _ bytes: @escaping (Int) -> [UInt8]) -> Benchmark {
        Benchmark(name, per: .kibibyte) {
            let deflater = Deflater(Self.direction)
            let messages = Self.messages(bytes(Inputs.size)).map { message in
                var output: [UInt8] = []
                deflater.append(message.span, to: &output)
                return output
            }
            let inflater = Inflater(Self.direction, maximumMessage: 1 << 20)
            return Work(units: Inputs.size >> 10, expecting: Inputs.size) {
                var room = [UInt8](repeating: 0, count: Self.messageSize + 1)
                var length = 0
                for message in messages {
                    var position = 0
                    var span = room.mutableSpan
                    let result = inflater.inflate(message.span, at: &position, isFinal: true, into: &span)
                    if case .end(let count) = result { length += count }
                }
                return length
            }
        }
    }

    /// Units are KiB of input.
    private static func deflate(_ name: String, _ bytes: @escaping (Int) -> [UInt8]) -> Benchmark {
        Benchmark(name, per: .kibibyte) {
            let deflater = Deflater(Self.direction)
            let messages = Self.messages(bytes(Inputs.size))
            return Work(units: Inputs.size >> 10, expecting: messages.count) {
                var output: [UInt8] = []
                output.reserveCapacity(2 * Self.messageSize)
                var done = 0
                for message in messages {
                    output.removeAll(keepingCapacity: true)
                    deflater.append(message.span, to: &output)
                    if !output.isEmpty { done += 1 }
                }
                return done
            }
        }
    }
}
