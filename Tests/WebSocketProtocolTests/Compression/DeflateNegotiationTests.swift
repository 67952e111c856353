import Testing

@testable import WebSocketProtocol

struct DeflateNegotiationTests {
    private static func answer(_ offers: String, memory: Int = 0, keepsContext: Bool = true) throws -> String? {
        let offers = try #require(ExtensionElement.parse([offers]))
        let agreement = DeflateNegotiation.agree(on: offers, .init(memory: memory, keepsContext: keepsContext))
        guard let agreement else { return nil }
        // Every answer must accept one of the offers.
        #expect(PermessageDeflate.accepts(answer: agreement.answer, offers: offers))
        let parameters = agreement.parameters
        let server = parameters.server.keepsContext ? parameters.server.deflateMemory : 0
        #expect(memory == 0 || server + parameters.client.inflateMemory <= memory)
        #expect(keepsContext || !parameters.server.keepsContext)
        return agreement.answer.description
    }

    private static let name = "permessage-deflate"

    @Test(arguments: [
        (name, name),
        ("\(name); client_max_window_bits", name),
        ("\(name); client_max_window_bits=12", "\(name); client_max_window_bits=12"),
        ("\(name); server_max_window_bits=8", "\(name); server_max_window_bits=8"),
        ("\(name); server_max_window_bits=15", "\(name); server_max_window_bits=15"),
        ("\(name); server_no_context_takeover", "\(name); server_no_context_takeover"),
        ("\(name); client_no_context_takeover", "\(name); client_no_context_takeover"),
        (
            "\(name); server_max_window_bits=10; client_max_window_bits=8; server_no_context_takeover",
            "\(name); server_no_context_takeover; server_max_window_bits=10; client_max_window_bits=8"
        ),
        ("x-other, \(name); server_max_window_bits=16, \(name); server_no_context_takeover=1, \(name)", name),
        ("\(name); server_max_window_bits=9, \(name)", "\(name); server_max_window_bits=9"),
    ])
    func `the first good offer is accepted as it is, where memory has no limit`(offers: String, answer: String) throws {
        #expect(try Self.answer(offers) == answer)
    }

    @Test(arguments: [
        "x-webkit-deflate-frame", "\(name); client_max_window_bits=7", "\(name); client_max_window_bits=08",
        "\(name); server_max_window_bits", "\(name); mystery", "\(name); server_no_context_takeover=true",
        "\(name); client_max_window_bits; client_max_window_bits", "Permessage-Deflate",
    ])
    func `what is no good offer is declined`(offer: String) throws {
        #expect(try Self.answer(offer) == nil)
    }

    @Test(
        arguments: [
            // What browsers offer.
            ("\(name); client_max_window_bits", 64, "\(name); client_max_window_bits=12"),
            ("\(name); client_max_window_bits", 400, name),
            ("\(name); client_max_window_bits", 24, "\(name); client_max_window_bits=10"),
            ("\(name); client_max_window_bits", 20, "\(name); server_no_context_takeover; client_max_window_bits=13"),
            ("\(name); client_max_window_bits", 9, "\(name); server_no_context_takeover; client_max_window_bits=10"),
            ("\(name); client_max_window_bits", 8, nil),
            // We cannot limit the client's window: it takes 40 KiB.
            (name, 64, name),
            (name, 40, "\(name); server_no_context_takeover"),
            (name, 39, nil),
            ("\(name), \(name); client_max_window_bits", 32, "\(name); client_max_window_bits=11"),
            (
                "\(name); client_max_window_bits=12; server_max_window_bits=12", 64,
                "\(name); server_max_window_bits=12; client_max_window_bits=12"
            ),
        ] as [(String, Int, String?)])
    func `what is agreed on fits the memory`(offers: String, kibibytes: Int, answer: String?) throws {
        #expect(try Self.answer(offers, memory: kibibytes << 10) == answer)
    }

    @Test func `a room keeps no context`() throws {
        let answer = try Self.answer("\(Self.name); client_max_window_bits", memory: 64 << 10, keepsContext: false)
        #expect(answer == "\(Self.name); server_no_context_takeover")
    }
}
