/// Reads and checks the negotiation of `permessage-deflate` (RFC 7692 sections 5 and 7.1).
public enum PermessageDeflate {
    /// As it stands in `Sec-WebSocket-Extensions`.
    static let name = "permessage-deflate"

    /// The client's offers of this extension that a server may accept: those without unknown or repeated parameters or bad
    /// values (RFC 7692 section 7.1).
    public static func offers(in offers: [ExtensionElement]) -> [ExtensionElement] {
        offers.filter { self.parameters(of: $0) != nil }
    }

    /// Whether a server may answer a client's offers with this one extension.
    static func accepts(answer: ExtensionElement, offers: [ExtensionElement]) -> Bool {
        guard let answer = self.parameters(of: answer) else { return false }
        return offers.lazy.compactMap { self.parameters(of: $0) }.contains { $0.permits(answer) }
    }

    /// Whether a server may answer a client's offers with this list, if the client offered no other extension: it must have
    /// one element, which accepts one of the offers.
    public static func accepts(answer: [ExtensionElement], offers: [ExtensionElement]) -> Bool {
        answer.count == 1 && self.accepts(answer: answer[0], offers: offers)
    }

    /// The parameters of an offer or an answer.
    struct Parameters {
        var serverNoContextTakeover = false
        var clientNoContextTakeover = false
        var serverMaxWindowBits: Int?
        var clientMaxWindowBits: Int?
        /// `client_max_window_bits` is present. Only an offer may leave out its value.
        var hasClientMaxWindowBits = false

        /// Whether `answer` is a valid answer to this offer.
        func permits(_ answer: Parameters) -> Bool {
            guard answer.serverNoContextTakeover || !self.serverNoContextTakeover else { return false }
            if answer.hasClientMaxWindowBits {
                guard self.hasClientMaxWindowBits && answer.clientMaxWindowBits != nil else { return false }
            }
            guard let most = self.serverMaxWindowBits else { return true }
            return answer.serverMaxWindowBits.map { $0 <= most } ?? false
        }
    }

    /// `nil` if it is another extension, or if a parameter is unknown, repeated or has a bad value.
    static func parameters(of element: ExtensionElement) -> Parameters? {
        guard element.name == self.name else { return nil }
        guard Set(element.parameters.map(\.name)).count == element.parameters.count else { return nil }
        var parameters = Parameters()
        for parameter in element.parameters {
            switch (parameter.name, parameter.value) {
            case ("server_no_context_takeover", nil): parameters.serverNoContextTakeover = true
            case ("client_no_context_takeover", nil): parameters.clientNoContextTakeover = true
            case ("client_max_window_bits", nil): parameters.hasClientMaxWindowBits = true
            case ("client_max_window_bits", let value?):
                guard let bits = self.windowBits[value] else { return nil }
                parameters.hasClientMaxWindowBits = true
                parameters.clientMaxWindowBits = bits
            case ("server_max_window_bits", let value?):
                guard let bits = self.windowBits[value] else { return nil }
                parameters.serverMaxWindowBits = bits
            default: return nil
            }
        }
        return parameters
    }

    /// 8 to 15, without sign or leading zero (RFC 7692 section 7.1.2).
    private static let windowBits = Dictionary(uniqueKeysWithValues: (8...15).map { (String($0), $0) })
}
