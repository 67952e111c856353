import System
import Testing

@testable import Takeover

@Suite struct TakeoverSidesTests {
    static let messages: [TakeoverMessage] = [
        .hello(version: "1"), .listener(":8080"), .listener("unix:/run/über.sock"), .sockets(1), .sockets(253), .end,
        .adopted("127.0.0.1:1"), .ready, .released, .refused(String(repeating: "x", count: 300)), .refused(""),
        .revoked("ünser subject", seconds: 600), .revoked("", seconds: 1),
    ]

    // MARK: - Messages

    @Test func `messages are read however they are split`() throws {
        let bytes = Self.messages.flatMap(\.bytes)
        for cut in 0...bytes.count {
            var reader = TakeoverMessage.Reader()
            var read: [TakeoverMessage] = []
            for piece in [bytes[..<cut], bytes[cut...]] {
                reader.append(piece)
                while let message = try reader.next() { read.append(message) }
            }
            #expect(read == Self.messages, "cut at \(cut)")
        }
        var reader = TakeoverMessage.Reader()
        var read: [TakeoverMessage] = []
        for byte in bytes {
            reader.append([byte])
            while let message = try reader.next() { read.append(message) }
        }
        #expect(read == Self.messages)
    }

    static let unintelligible: [[UInt8]] = [
        [9], [255, 0, 0],  // no kind of ours
        // "1", "0 a", "a a": no time, or no subject
        [8, 0, 1, 0x31], [8, 0, 3, 0x30, 0x20, 0x61], [8, 0, 3, 0x61, 0x20, 0x61],
        [0, 4, 1],  // longer than any
        [0, 0, 1, 0xFF],  // no UTF-8
        [2, 0, 0], [2, 0, 1, 0x30], [2, 0, 2, 0x2D, 0x31], [2, 0, 3, 0x32, 0x35, 0x34],  // "", 0, -1, 254 sockets
        [3, 0, 1, 0x30], [5, 0, 1, 0x30], [6, 0, 1, 0x30],  // a text where none belongs
    ]

    @Test(arguments: unintelligible) func `bytes that are not a message are refused`(bytes: [UInt8]) {
        var reader = TakeoverMessage.Reader()
        reader.append(bytes)
        #expect(throws: TakeoverError.unintelligible) { try reader.next() }
    }

    // MARK: - The running gateway

    static let conversation: [UInt8] =
        SuccessorSide.greeting + SuccessorSide.ready(adopted: [":80", "unix:/x", ":80"])

    @Test func `a successor gets an offer of everything and releases the predecessor`() {
        let expected: [PredecessorSide.Action] = [.offer, .release(adopted: [":80", "unix:/x"])]
        for cut in 0...Self.conversation.count {
            var side = PredecessorSide()
            let actions = side.received(Self.conversation[..<cut]) + side.received(Self.conversation[cut...])
            #expect(actions == expected, "cut at \(cut)")
        }
        var side = PredecessorSide()
        #expect(Self.conversation.flatMap { side.received([$0]) } == expected)
    }

    static let wrong: [([TakeoverMessage], TakeoverError)] = [
        ([.ready], .unexpected),
        ([.adopted(":80")], .unexpected),
        ([.hello(version: "2")], .otherVersion("2")),
        ([.hello(version: "1"), .hello(version: "1")], .unexpected),
        ([.hello(version: "1"), .released], .unexpected),
        ([.hello(version: "1"), .end], .unexpected),
    ]

    @Test(arguments: wrong) func `a successor that breaks the protocol is refused`(
        messages: [TakeoverMessage], error: TakeoverError
    ) {
        var side = PredecessorSide()
        let actions = side.received(messages.flatMap(\.bytes))
        #expect(actions.last == .refuse(error))
        #expect(!actions.contains { if case .release = $0 { true } else { false } })
        // What comes after it is ignored.
        #expect(side.received(Self.conversation).isEmpty)
    }

    @Test func `the number of listeners is bounded`() {
        var running = PredecessorSide()
        _ = running.received(SuccessorSide.greeting)
        let adopted = (0...4096).flatMap { TakeoverMessage.adopted(String($0)).bytes }
        #expect(running.received(adopted) == [.refuse(.tooMany)])
        var withSubjects = SuccessorSide()
        let revoked = (0...20_000).flatMap { TakeoverMessage.revoked(String($0), seconds: 1).bytes }
        #expect(throws: TakeoverError.tooMany) { try withSubjects.received(revoked, descriptors: []) }
        var new = SuccessorSide()
        let offered = (0...4096).flatMap { TakeoverMessage.listener(String($0)).bytes }
        #expect(throws: TakeoverError.tooMany) { try new.received(offered, descriptors: []) }
    }

    // MARK: - The new gateway

    @Test func `descriptors go to the listeners they came with`() throws {
        let bytes = [
            TakeoverMessage.listener("a"), .sockets(2), .listener("b"), .listener("c"), .sockets(1), .sockets(2), .end,
        ].flatMap(\.bytes)
        for cut in 0...bytes.count {
            var side = SuccessorSide()
            // Descriptors may come before the message that names their number, but not after it.
            try side.received(bytes[..<cut], descriptors: [7, 8, 9, 10, 11])
            try side.received(bytes[cut...], descriptors: [])
            #expect(side.phase == .offered)
            #expect(side.unclaimed.isEmpty)
            #expect(
                side.listeners == [
                    .init(address: "a", sockets: [7, 8]), .init(address: "b", sockets: []),
                    .init(address: "c", sockets: [9, 10, 11]),
                ])
        }
    }

    @Test func `subjects come with the offer and at the end`() throws {
        var side = SuccessorSide()
        try side.received(
            [TakeoverMessage.listener("a"), .revoked("b c", seconds: 9), .end].flatMap(\.bytes), descriptors: [])
        #expect(side.phase == .offered)
        try side.received([TakeoverMessage.revoked("d", seconds: 1), .released].flatMap(\.bytes), descriptors: [])
        #expect(side.phase == .released)
        #expect(side.revoked.map(\.subject) == ["b c", "d"])
        #expect(side.revoked.map(\.seconds) == [9, 1])
    }

    static let wrongOffers: [([TakeoverMessage], [Int32])] = [
        ([.sockets(1)], [5]),
        ([.listener("a"), .sockets(2)], [5]),
        ([.listener("a"), .sockets(1), .end], [5, 6]),
        ([.released], []),
        ([.hello(version: "1")], []),
        ([.end, .listener("a")], []),
        ([.end, .released, .revoked("a", seconds: 1)], []),
    ]

    @Test(arguments: wrongOffers) func `an offer that breaks the protocol is refused`(
        messages: [TakeoverMessage], descriptors: [Int32]
    ) {
        var side = SuccessorSide()
        #expect(throws: TakeoverError.self) {
            try side.received(messages.flatMap(\.bytes), descriptors: descriptors)
        }
        // The caller finds all of them, and can close them.
        #expect((side.listeners.flatMap(\.sockets) + side.unclaimed).sorted() == descriptors)
    }

    @Test func `a predecessor may refuse at any time`() throws {
        var side = SuccessorSide()
        try side.received(TakeoverMessage.refused("no").bytes, descriptors: [])
        #expect(side.phase == .refused("no"))
        side = SuccessorSide()
        try side.received([TakeoverMessage.end, .refused("late")].flatMap(\.bytes), descriptors: [])
        #expect(side.phase == .refused("late"))
        side = SuccessorSide()
        try side.received([TakeoverMessage.end, .released].flatMap(\.bytes), descriptors: [])
        #expect(side.phase == .released)
    }

    // MARK: - The name

    @Test func `the name is the same in every process`() {
        let name = TakeoverName.of(configuration: "/etc/gateway/gateway.conf", user: 7)
        #expect(name == .abstract(name: "gateway/7/bf3f60355d8dc288"))
        #expect(TakeoverName.of(configuration: "/etc/gateway/other.conf", user: 7) != name)
        #expect(TakeoverName.of(configuration: "/etc/gateway/gateway.conf", user: 8) != name)
        // A pipe is identified by its text.
        let contents = TakeoverName.of(contents: [1, 2], user: 7)
        #expect(TakeoverName.of(contents: [1, 2], user: 7) == contents)
        #expect(TakeoverName.of(contents: [1, 3], user: 7) != contents)
        #expect(TakeoverName.of(contents: Array("/etc/gateway/gateway.conf".utf8), user: 7) != name)
    }
}
