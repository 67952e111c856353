/// One element of `Sec-WebSocket-Extensions`: a client's offer, or a server's answer (RFC 6455 section 9.1).
public struct ExtensionElement: Hashable, Sendable, CustomStringConvertible {
    /// A parameter, as in `client_max_window_bits=10`.
    public struct Parameter: Hashable, Sendable {
        /// A token.
        var name: String
        /// A token, without the quotes that it may have had.
        var value: String?

        /// By default without a value, as in `server_no_context_takeover`.
        public init(name: String, value: String? = nil) {
            self.name = name
            self.value = value
        }
    }

    /// A token.
    var name: String
    /// In the order written.
    var parameters: [Parameter]

    /// Names and values must be tokens: they are written as they are.
    public init(name: String, parameters: [Parameter] = []) {
        self.name = name
        self.parameters = parameters
    }

    /// Reads the list in `values`, those of all `Sec-WebSocket-Extensions` fields in their order. `nil` if it is malformed or
    /// empty.
    public static func parse(_ values: [String]) -> [ExtensionElement]? {
        HeaderScanner.list(in: values) { scanner in
            guard let name = scanner.token() else { return nil }
            var element = ExtensionElement(name: name)
            scanner.skipWhitespace()
            while scanner.take(";") {
                scanner.skipWhitespace()
                guard let parameter = self.parameter(&scanner) else { return nil }
                element.parameters.append(parameter)
                scanner.skipWhitespace()
            }
            return element
        }
    }

    private static func parameter(_ scanner: inout HeaderScanner) -> Parameter? {
        guard let name = scanner.token() else { return nil }
        guard scanner.take("=") else { return Parameter(name: name) }
        guard let value = scanner.token() ?? scanner.quotedToken() else { return nil }
        return Parameter(name: name, value: value)
    }

    /// The value of a field with these elements.
    public static func render(_ elements: [ExtensionElement]) -> String {
        elements.map(\.description).joined(separator: ", ")
    }

    /// The element as it is written in a field: `a; b=1; c`.
    public var description: String {
        self.parameters.reduce(self.name) { text, parameter in
            parameter.value.map { "\(text); \(parameter.name)=\($0)" } ?? "\(text); \(parameter.name)"
        }
    }
}
