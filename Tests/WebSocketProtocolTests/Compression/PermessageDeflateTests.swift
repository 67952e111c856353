import Testing
import WebSocketProtocol

@Suite struct PermessageDeflateTests {
    /// An answer, the offers that it answers, and whether it is valid.
    static let table: [(answer: String, offers: String, accepted: Bool)] = [
        ("permessage-deflate", "permessage-deflate", true),
        ("permessage-deflate", "other", false),
        ("other", "other", false),
        ("permessage-deflate, permessage-deflate", "permessage-deflate", false),
        ("permessage-deflate; x", "permessage-deflate; x", false),
        ("permessage-deflate; x", "permessage-deflate", false),
        ("permessage-deflate", "permessage-deflate; x, permessage-deflate", true),

        ("permessage-deflate; server_no_context_takeover", "permessage-deflate", true),
        ("permessage-deflate; client_no_context_takeover", "permessage-deflate", true),
        ("permessage-deflate; server_no_context_takeover=1", "permessage-deflate", false),
        ("permessage-deflate; client_no_context_takeover=1", "permessage-deflate", false),
        (
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover", "permessage-deflate", false
        ),
        ("permessage-deflate", "permessage-deflate; server_no_context_takeover", false),
        (
            "permessage-deflate; server_no_context_takeover", "permessage-deflate; server_no_context_takeover", true
        ),
        ("permessage-deflate", "permessage-deflate; server_no_context_takeover, permessage-deflate", true),
        ("permessage-deflate", "permessage-deflate; client_no_context_takeover", true),

        ("permessage-deflate; client_max_window_bits=15", "permessage-deflate", false),
        ("permessage-deflate; client_max_window_bits=15", "permessage-deflate; client_max_window_bits", true),
        ("permessage-deflate; client_max_window_bits=8", "permessage-deflate; client_max_window_bits=10", true),
        ("permessage-deflate; client_max_window_bits", "permessage-deflate; client_max_window_bits", false),
        ("permessage-deflate; client_max_window_bits=7", "permessage-deflate; client_max_window_bits", false),
        ("permessage-deflate; client_max_window_bits=16", "permessage-deflate; client_max_window_bits", false),
        ("permessage-deflate; client_max_window_bits=08", "permessage-deflate; client_max_window_bits", false),
        ("permessage-deflate", "permessage-deflate; client_max_window_bits=7", false),

        ("permessage-deflate; server_max_window_bits=10", "permessage-deflate", true),
        ("permessage-deflate; server_max_window_bits=10", "permessage-deflate; server_max_window_bits=10", true),
        ("permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=10", true),
        ("permessage-deflate; server_max_window_bits=11", "permessage-deflate; server_max_window_bits=10", false),
        ("permessage-deflate", "permessage-deflate; server_max_window_bits=10", false),
        ("permessage-deflate; server_max_window_bits", "permessage-deflate", false),
        ("permessage-deflate; server_max_window_bits=+9", "permessage-deflate", false),
        ("permessage-deflate; server_max_window_bits=\"9\"", "permessage-deflate", true),
        ("permessage-deflate", "permessage-deflate; server_max_window_bits", false),
        (
            "permessage-deflate; server_max_window_bits=12",
            "permessage-deflate; server_max_window_bits=10, permessage-deflate; server_max_window_bits=12", true
        ),
        ("Permessage-Deflate", "permessage-deflate", false),
    ]

    @Test(arguments: table)
    func `an answer must fit an offer`(answer: String, offers: String, accepted: Bool) throws {
        let answer = try #require(ExtensionElement.parse([answer]))
        let offers = try #require(ExtensionElement.parse([offers]))
        #expect(PermessageDeflate.accepts(answer: answer, offers: offers) == accepted)
    }

    @Test func `offers that no server may accept are left out`() throws {
        let offers = try #require(
            ExtensionElement.parse([
                "foo, permessage-deflate; client_max_window_bits, permessage-deflate; x, permessage-deflate",
                "permessage-deflate; server_max_window_bits=99",
            ]))
        #expect(
            ExtensionElement.render(PermessageDeflate.offers(in: offers))
                == "permessage-deflate; client_max_window_bits, permessage-deflate")
        #expect(PermessageDeflate.accepts(answer: [], offers: offers) == false)
    }
}
