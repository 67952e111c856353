public import Configuration
public import HTTP1

extension Grant {
    /// What the answer of an auth service that lets a request in gives: the fields of `send`, as many of each as it has. The first of these
    /// names the client.
    ///
    /// - Parameters:
    ///   - answer: the fields of the answer.
    ///   - settings: `forward` of the route.
    /// - Returns: `nil` if that one is repeated, so that it does not name one client.
    public init?(_ answer: HTTPFields, _ settings: ForwardSettings) {
        var subject: String?
        switch settings.send.first.map({ answer.only($0) }) {
        case .repeated?: return nil
        case .once(let name)? where !name.isEmpty: subject = Self.text(name)
        case .once?, .absent?, nil: break
        }
        var fields = HTTPFields()
        for name in settings.send {
            for value in answer.values(name) { fields.append(name, value) }
        }
        self.init(subject: subject, fields: fields)
    }

    /// Names are UTF-8 elsewhere, and a field is read byte by byte.
    private static func text(_ value: String) -> String {
        String(validating: value.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }, as: UTF8.self) ?? value
    }
}
