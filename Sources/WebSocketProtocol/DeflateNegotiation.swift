/// A server's part in agreeing on `permessage-deflate` (RFC 7692 sections 5.1 and 7.1).
package enum DeflateNegotiation {
    /// What the server is ready for.
    package struct Settings: Hashable, Sendable {
        /// The most bytes that zlib may hold for a session; 0 is no limit.
        package var memory: Int
        /// Whether what we send may keep context, which costs memory, and makes each session's frames its own.
        package var keepsContext: Bool

        package init(memory: Int = 0, keepsContext: Bool = true) {
            self.memory = memory
            self.keepsContext = keepsContext
        }
    }

    package struct Agreement: Hashable, Sendable {
        package var parameters: DeflateParameters
        /// The value of `Sec-WebSocket-Extensions` that says so.
        package var answer: ExtensionElement
    }

    /// Accepts the first offer that can be; nil declines all.
    package static func agree(on offers: [ExtensionElement], _ settings: Settings) -> Agreement? {
        for case let offer? in offers.lazy.map({ PermessageDeflate.parameters(of: $0) }) {
            if let parameters = self.parameters(for: offer, settings) {
                return Agreement(parameters: parameters, answer: self.answer(to: offer, parameters))
            }
        }
        return nil
    }

    /// The best that fits: context on both sides with the largest windows that there is memory for, down to 1 KiB; else every
    /// message of ours by itself, with a compressor that belongs to nobody.
    private static func parameters(
        for offer: PermessageDeflate.Parameters, _ settings: Settings
    ) -> DeflateParameters? {
        let largest = DeflateParameters(
            server: .init(
                windowBits: offer.serverMaxWindowBits ?? 15,
                keepsContext: settings.keepsContext && !offer.serverNoContextTakeover),
            client: .init(windowBits: offer.clientMaxWindowBits ?? 15, keepsContext: !offer.clientNoContextTakeover))

        /// With windows of at most `bits`, where that is ours to say.
        func limited(to bits: Int) -> DeflateParameters {
            var parameters = largest
            parameters.server.windowBits = min(bits, largest.server.windowBits)
            if offer.hasClientMaxWindowBits { parameters.client.windowBits = min(bits, largest.client.windowBits) }
            return parameters
        }
        func fits(_ bytes: Int) -> Bool { settings.memory == 0 || bytes <= settings.memory }

        if largest.server.keepsContext {
            for bits in stride(from: 15, through: 10, by: -1) {
                let parameters = limited(to: bits)
                if fits(parameters.server.deflateMemory + parameters.client.inflateMemory) { return parameters }
            }
        }
        for bits in stride(from: 15, through: 9, by: -1) {
            var parameters = limited(to: bits)
            parameters.server = .init(windowBits: largest.server.windowBits, keepsContext: false)
            if fits(parameters.client.inflateMemory) { return parameters }
        }
        return nil
    }

    private static func answer(
        to offer: PermessageDeflate.Parameters, _ parameters: DeflateParameters
    ) -> ExtensionElement {
        var answer = ExtensionElement(name: PermessageDeflate.name)
        func say(_ name: String, _ value: Int? = nil) {
            answer.parameters.append(.init(name: name, value: value.map { String($0) }))
        }
        if !parameters.server.keepsContext { say("server_no_context_takeover") }
        if !parameters.client.keepsContext { say("client_no_context_takeover") }
        // A smaller window of ours needs no word unless one was asked for; the client's has to be told.
        if offer.serverMaxWindowBits != nil { say("server_max_window_bits", parameters.server.windowBits) }
        if offer.hasClientMaxWindowBits, parameters.client.windowBits < 15 || offer.clientMaxWindowBits != nil {
            say("client_max_window_bits", parameters.client.windowBits)
        }
        return answer
    }
}
