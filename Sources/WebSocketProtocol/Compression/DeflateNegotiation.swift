/// The server's side of negotiating `permessage-deflate` (RFC 7692 sections 5.1 and 7.1).
public enum DeflateNegotiation {
    /// What the server accepts.
    public struct Settings: Hashable, Sendable {
        /// The most memory that zlib may hold for a session, in bytes; 0 is no limit.
        var memory: Int
        /// Whether our messages may refer to earlier ones. This costs memory, and the same message then compresses
        /// differently for each session.
        var keepsContext: Bool

        /// `memory` is in bytes; by default there is no limit.
        public init(memory: Int = 0, keepsContext: Bool = true) {
            self.memory = memory
            self.keepsContext = keepsContext
        }
    }

    /// An accepted offer.
    public struct Agreement: Hashable, Sendable {
        /// What both sides do from now on.
        public var parameters: DeflateParameters
        /// The answer's value of `Sec-WebSocket-Extensions`.
        public var answer: ExtensionElement
    }

    /// Accepts the first offer that fits `settings`; `nil` declines all.
    public static func agree(on offers: [ExtensionElement], _ settings: Settings) -> Agreement? {
        for case let offer? in offers.lazy.map({ PermessageDeflate.parameters(of: $0) }) {
            if let parameters = self.parameters(for: offer, settings) {
                return Agreement(parameters: parameters, answer: self.answer(to: offer, parameters))
            }
        }
        return nil
    }

    /// The best parameters that fit the memory: context on both sides with the largest possible windows, down to 1 KiB. If
    /// that does not fit, each of our messages stands alone, and needs no compressor of the session's own.
    private static func parameters(
        for offer: PermessageDeflate.Parameters, _ settings: Settings
    ) -> DeflateParameters? {
        let largest = DeflateParameters(
            server: .init(
                windowBits: offer.serverMaxWindowBits ?? 15,
                keepsContext: settings.keepsContext && !offer.serverNoContextTakeover),
            client: .init(windowBits: offer.clientMaxWindowBits ?? 15, keepsContext: !offer.clientNoContextTakeover))

        /// With windows of at most `bits`. The client's can only be limited if its offer allows it.
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
        // A smaller window of ours is stated only if the client asked for one. The client must be told of its own
        // (RFC 7692 section 7.1.2).
        if offer.serverMaxWindowBits != nil { say("server_max_window_bits", parameters.server.windowBits) }
        if offer.hasClientMaxWindowBits, parameters.client.windowBits < 15 || offer.clientMaxWindowBits != nil {
            say("client_max_window_bits", parameters.client.windowBits)
        }
        return answer
    }
}
