import Configuration
import Testing
import WebSocketProtocol

@testable import Sessions

/// Our pings and their pongs among relayed frames.
@Suite struct RelayPingTests {
    private static let nonce: UInt64 = 0x1122_3344_5566_7788

    /// A relay, and what each leg was sent; each of our pings is a mark.
    private struct Relayed {
        var relay = Relay(limits: Limits(), allowsCompression: false, checksText: false, nonce: RelayPingTests.nonce)
        var closing = ClosingHandshake.of(.relay)
        var sent = PerLeg<[UInt8]>(client: [], backend: [])
        var pings = PerLeg<[[UInt8]]>(client: [], backend: [])
        /// How many bytes a leg had been sent at its latest ping.
        var pingedBehind = PerLeg(client: -1, backend: -1)
        var answers = PerLeg(client: 0, backend: 0)
        var signs = Relay.Step.Signs()

        mutating func arrived(_ piece: [UInt8], from leg: Leg) {
            let bytes = self.relay.takeHeld(leg) + piece
            var position: Int? = 0
            while let start = position {
                let step = self.relay.next(bytes.span, from: start, leg)
                self.sent[leg.other] += bytes[step.forward]
                self.signs.formUnion(step.signs)
                if step.signs.contains(.answer) { self.answers[leg] += 1 }
                if step.signs.contains(.boundary) { self.ping(leg.other) }
                if case .close(_, at: let place)? = step.event { self.sent[leg.other] += bytes[place] }
                if case .boundary? = step.event {
                    _ = self.closing.reachedBoundary(leg.other)
                    self.relay.follow(self.closing)
                }
                position = step.next
            }
        }

        mutating func close() {
            _ = self.closing.close(.byGateway(.drain), self.relay.places)
            self.relay.follow(self.closing)
        }

        mutating func ping(_ leg: Leg) {
            guard let payload = self.relay.ping(leg) else { return }
            self.pings[leg].append(payload)
            self.pingedBehind[leg] = self.sent[leg].count
        }
    }

    private static func key(_ leg: Leg) -> MaskingKey? { leg == .client ? MaskingKey(1, 2, 3, 4) : nil }

    private static func frame(_ opcode: Opcode, _ payload: [UInt8], fin: Bool = true, from leg: Leg) -> [UInt8] {
        Frame.encoded(opcode, payload: payload.span, fin: fin, maskingKey: self.key(leg))
    }

    @Test(arguments: [Leg.client, .backend]) func `between frames a ping is sent at once`(leg: Leg) {
        var relayed = Relayed()
        relayed.ping(leg)
        relayed.arrived(Self.frame(.text, [0x61], fin: false, from: leg.other), from: leg.other)
        relayed.ping(leg)
        #expect(relayed.pings[leg].count == 2)
        #expect(relayed.pings[leg][0] != relayed.pings[leg][1])
        #expect(relayed.pingedBehind[leg] == relayed.sent[leg].count)
    }

    /// The other leg's frame is split at each byte, where our ping becomes due.
    @Test(arguments: [Leg.client, .backend], [0, 1, 5, 126]) func `a ping waits for the end of a frame`(
        leg: Leg, size: Int
    ) {
        let first = Self.frame(.text, [UInt8](repeating: 0x61, count: size), fin: false, from: leg.other)
        let behind =
            Self.frame(.ping, [1], from: leg.other) + Self.frame(.continuation, [0x62], from: leg.other)
            + Self.frame(.binary, [3, 4], from: leg.other)
        let header = first.count - size
        for cut in 0...first.count {
            for pieceSize in [1, 2, .max] {
                var relayed = Relayed()
                relayed.arrived(Array(first[..<cut]), from: leg.other)
                relayed.ping(leg)
                let isInside = cut >= header && cut < first.count
                #expect(relayed.pings[leg].isEmpty == isInside)
                var rest = (first[cut...] + behind)[...]
                while !rest.isEmpty {
                    relayed.arrived(Array(rest.prefix(pieceSize)), from: leg.other)
                    rest = rest.dropFirst(pieceSize)
                }
                #expect(relayed.pings[leg].count == 1)
                // Held-back bytes of a header are not sent before the ping.
                #expect(relayed.pingedBehind[leg] == (cut < header ? 0 : first.count))
                #expect(relayed.sent[leg] == first + behind)
            }
        }
    }

    /// Without limits a frame may be as long as a header can say, which is longer than any buffer.
    @Test(arguments: [Leg.client, .backend]) func `a ping waits for the end of the longest frame`(leg: Leg) {
        var limits = Limits()
        (limits.message, limits.backendMessage) = (.bytes(0), .bytes(0))
        var relay = Relay(limits: limits, allowsCompression: false, checksText: false, nonce: Self.nonce)
        var header: [UInt8] = []
        FrameHeader(fin: true, rsv1: false, opcode: .binary, payloadLength: .max, maskingKey: Self.key(leg.other))
            .append(to: &header)
        let step = relay.next(header.span, from: 0, leg.other)
        #expect(step.forward == header.indices)
        #expect(relay.ping(leg) == nil)
        let room = [UInt8](repeating: 0, count: 64)
        let rest = relay.next(room.span, from: 32, leg.other)
        #expect(rest == Relay.Step(forward: 32..<64, signs: .data))
    }

    @Test(arguments: [Leg.client, .backend]) func `a Close takes the place of a ping that waits`(leg: Leg) {
        var relayed = Relayed()
        let frame = Self.frame(.binary, [1, 2, 3], from: leg.other)
        relayed.arrived(Array(frame.dropLast()), from: leg.other)
        relayed.ping(leg)
        relayed.close()
        relayed.arrived([frame.last ?? 0], from: leg.other)
        #expect(relayed.sent[leg] == frame)
        #expect(relayed.pings[leg].isEmpty)
        #expect(!relayed.closing.isWaiting(leg))
        relayed.ping(leg)
        #expect(relayed.pings[leg].isEmpty)
    }

    /// In the middle of a fragmented message, split at each byte: only the pong for our ping is taken out.
    @Test(arguments: [Leg.client, .backend]) func `a pong for our ping is taken out`(leg: Leg) {
        var relayed = Relayed()
        relayed.ping(leg)
        let ours = Self.frame(.pong, relayed.pings[leg][0], from: leg)
        let before = Self.frame(.pong, [9], from: leg) + Self.frame(.text, [0x61, 0x62], fin: false, from: leg)
        let behind =
            Self.frame(.ping, [8], from: leg) + Self.frame(.continuation, [0x63], from: leg)
            + Self.frame(.binary, [], from: leg)
        let all = before + ours + behind
        let start = relayed
        for cut in 0...all.count {
            var relayed = start
            relayed.arrived(Array(all[..<cut]), from: leg)
            relayed.arrived(Array(all[cut...]), from: leg)
            #expect(relayed.sent[leg.other] == before + behind)
            #expect(relayed.answers[leg] == 1)
            #expect(relayed.relay.tally[leg].text == 1)
            #expect(relayed.relay.tally[leg].binary == 1)
        }
        // A second one is foreign.
        var again = start
        again.arrived(ours + ours, from: leg)
        #expect(again.sent[leg.other] == ours)
        #expect(again.answers[leg] == 1)
    }

    @Test func `a pong for the other leg's ping is relayed`() {
        var relayed = Relayed()
        relayed.ping(.client)
        relayed.ping(.backend)
        for leg in [Leg.client, .backend] {
            let pong = Self.frame(.pong, relayed.pings[leg.other][0], from: leg)
            relayed.arrived(pong, from: leg)
            #expect(relayed.sent[leg.other] == pong)
        }
        #expect(relayed.answers.client == 0 && relayed.answers.backend == 0)
    }

    @Test(arguments: [Leg.client, .backend]) func `a pong for the latest ping answers all`(leg: Leg) {
        var relayed = Relayed()
        relayed.ping(leg)
        relayed.ping(leg)
        relayed.arrived(Self.frame(.pong, relayed.pings[leg][1], from: leg), from: leg)
        let old = Self.frame(.pong, relayed.pings[leg][0], from: leg)
        relayed.arrived(old, from: leg)
        #expect(relayed.sent[leg.other] == old)
        #expect(relayed.answers[leg] == 1)
    }

    /// After our Close to the other side nothing is relayed, and a pong for our ping still is not.
    @Test(arguments: [Leg.client, .backend]) func `a pong for our ping is taken out while the session closes`(leg: Leg)
    {
        var relayed = Relayed()
        relayed.ping(leg)
        relayed.close()
        relayed.arrived(Self.frame(.pong, relayed.pings[leg][0], from: leg), from: leg)
        #expect(relayed.sent[leg.other].isEmpty)
    }

    @Test(arguments: [Leg.client, .backend]) func `signs say what was relayed`(leg: Leg) {
        func signs(_ bytes: [UInt8]) -> Relay.Step.Signs {
            var relayed = Relayed()
            relayed.arrived(bytes, from: leg)
            return relayed.signs
        }
        let data = Self.frame(.binary, [1, 2], from: leg)
        #expect(signs(data) == .data)
        #expect(signs(Self.frame(.text, [], from: leg)) == .data)
        #expect(signs(Self.frame(.ping, [1], from: leg)) == .ping)
        #expect(signs(Self.frame(.pong, [1], from: leg)) == [])
        #expect(signs(Self.frame(.ping, [1], from: leg) + data) == [.ping, .data])
        #expect(signs(data + Self.frame(.close, [], from: leg)) == .data)
        #expect(signs(Array(data[..<1])) == [])
    }
}
