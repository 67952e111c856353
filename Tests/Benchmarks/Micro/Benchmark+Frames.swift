import WebSocketProtocol

extension Benchmark {
    /// The frame reader, on one full read of frames.
    static var frames: [Benchmark] {
        [
            Self.walk("walk-client-64", payload: 64, masked: true),
            Self.walk("walk-server-64", payload: 64, masked: false),
            Self.walk("walk-client-1k", payload: 1024, masked: true),
            Self.walk("walk-server-1k", payload: 1024, masked: false),
            Self.read("read-client-64", payload: 64),
            Self.read("read-client-1k", payload: 1024),
            Self.assemble("assemble-client-64", payload: 64),
        ]
    }

    /// As a relay reads, with its usual limits.
    private static func rules(masked: Bool) -> FrameReader.Rules {
        .init(expectsMask: masked, maximumMessage: 1 << 20, maximumFragments: 1024)
    }

    private static func walk(_ name: String, payload: Int, masked: Bool) -> Benchmark {
        Benchmark(name, per: .frame) {
            let (bytes, count) = Inputs.frames(payload: payload, masked: masked)
            let rules = Self.rules(masked: masked)
            return Work(units: count, expecting: bytes.count + count) {
                var reader = FrameReader(rules: rules)
                let walk = reader.walk(bytes.span, from: 0)
                return walk.end + Int(reader.tally.binary)
            }
        }
    }

    /// As an endpoint reads: finds each part of a message.
    private static func read(_ name: String, payload: Int) -> Benchmark {
        Benchmark(name, per: .frame) {
            let (bytes, count) = Inputs.frames(payload: payload, masked: true)
            let rules = Self.rules(masked: true)
            return Work(units: count, expecting: payload * count) {
                var reader = FrameReader(rules: rules)
                var position = 0
                var length = 0
                while case .data(let part) = reader.next(bytes.span, at: &position) { length += part.range.count }
                return length
            }
        }
    }

    /// As an endpoint reads that wants whole messages, each in an array of its own.
    private static func assemble(_ name: String, payload: Int) -> Benchmark {
        Benchmark(name, per: .message) {
            let (bytes, count) = Inputs.frames(payload: payload, masked: true)
            let rules = Self.rules(masked: true)
            return Work(units: count, expecting: payload * count) {
                var reader = FrameReader(rules: rules)
                var assembler = MessageAssembler()
                var position = 0
                var length = 0
                while case .data(let part) = reader.next(bytes.span, at: &position) {
                    let result = assembler.add(part, in: bytes.span)
                    if case .message(let message) = result { length += message.payload.count }
                }
                return length
            }
        }
    }
}
