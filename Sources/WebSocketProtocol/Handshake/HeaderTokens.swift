public import HTTP1

/// The lists of tokens in the opening handshake. Each function takes the values of all fields of one name, in their order.
public enum HeaderTokens {
    /// The elements of `Connection` or `Upgrade`: tokens, or protocols with a version (`h2c`, `HTTP/2.0`). `nil` if the list is
    /// malformed or empty.
    public static func parse(_ values: [String]) -> [String]? {
        HeaderScanner.list(in: values) { scanner in
            guard let name = scanner.token() else { return nil }
            guard scanner.take("/") else { return name }
            return scanner.token().map { "\(name)/\($0)" }
        }
    }

    /// Whether the list is well-formed and has this token, in any case (RFC 6455 section 4.2.1).
    public static func contains(_ token: String, in values: [String]) -> Bool {
        let found = HeaderScanner.list(in: values) { scanner -> Bool? in
            guard let isNamed = scanner.token(equals: token) else { return nil }
            guard scanner.take("/") else { return isNamed }
            return scanner.token().map { _ in false }
        }
        return found?.contains(true) ?? false
    }

    /// The subprotocols of `Sec-WebSocket-Protocol`, the preferred one first. `nil` if the list is malformed or empty, or has
    /// one twice (RFC 6455 section 4.1).
    public static func subprotocols(_ values: [String]) -> [String]? {
        guard let names = HeaderScanner.list(in: values, element: { $0.token() }) else { return nil }
        return Set(names).count == names.count ? names : nil
    }
}

extension HTTPFields {
    /// Whether the list of that name is well formed and has this token: a handshake's `Upgrade` and `Connection` must.
    public func offers(_ token: String, in name: String) -> Bool {
        // Usually the token is the whole value.
        self.isList(name, of: token) || HeaderTokens.contains(token, in: self.values(name))
    }
}
