/// One element of `Sec-WebSocket-Extensions`: an offer of a client's, or the answer of a server's
/// (RFC 6455 section 9.1). Its description is how it is written.
package struct ExtensionElement: Hashable, Sendable, CustomStringConvertible {
    package struct Parameter: Hashable, Sendable {
        package var name: String
        package var value: String?

        package init(name: String, value: String? = nil) {
            self.name = name
            self.value = value
        }
    }

    package var name: String
    package var parameters: [Parameter]

    package init(name: String, parameters: [Parameter] = []) {
        self.name = name
        self.parameters = parameters
    }

    /// Reads all fields of the name, in their order. Nil if the list is malformed or empty.
    package static func parse(_ values: [String]) -> [ExtensionElement]? {
        HeaderScanner.list(in: values) { scanner in
            guard let name = scanner.token() else { return nil }
            var offer = ExtensionElement(name: name)
            scanner.skipWhitespace()
            while scanner.take(";") {
                scanner.skipWhitespace()
                guard let parameter = self.parameter(&scanner) else { return nil }
                offer.parameters.append(parameter)
                scanner.skipWhitespace()
            }
            return offer
        }
    }

    private static func parameter(_ scanner: inout HeaderScanner) -> Parameter? {
        guard let name = scanner.token() else { return nil }
        guard scanner.take("=") else { return Parameter(name: name) }
        guard let value = scanner.token() ?? scanner.quotedToken() else { return nil }
        return Parameter(name: name, value: value)
    }

    /// The list that says these.
    package static func render(_ offers: [ExtensionElement]) -> String {
        offers.map(\.description).joined(separator: ", ")
    }

    package var description: String {
        self.parameters.reduce(self.name) { text, parameter in
            parameter.value.map { "\(text); \(parameter.name)=\($0)" } ?? "\(text); \(parameter.name)"
        }
    }
}
