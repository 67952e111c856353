/// The cookies of a request (RFC 6265 section 4.2): pairs of `name=value`, between semicolons.
extension HTTPFields {
    private static let cookie = "Cookie"

    /// The values of the cookies of that name, in their order. Case counts in the name of a cookie.
    public func cookies(_ name: String) -> [String] {
        self.values(Self.cookie).flatMap { field in
            Self.pairs(of: field).compactMap { $0.value(ifNamed: name) }
        }
    }

    /// The same fields without the cookies of that name. Other cookies stay as they were sent, in their order; a field with no cookie left is
    /// left out.
    public func removing(cookie name: String) -> HTTPFields {
        guard !self.cookies(name).isEmpty else { return self }
        var kept = HTTPFields()
        for field in self {
            guard field.name.equalsIgnoringCase(Self.cookie) else {
                kept.append(field)
                continue
            }
            let pairs = Self.pairs(of: field.value)
            let others = pairs.filter { $0.value(ifNamed: name) == nil }
            if others.count == pairs.count {
                kept.append(field)
            } else if !others.isEmpty {
                kept.append(field.name, others.map { String(Substring($0.text)) }.joined(separator: "; "))
            }
        }
        return kept
    }

    private static func pairs(of field: String) -> [CookiePair] {
        field.utf8.split(separator: UInt8(ascii: ";")).map { CookiePair($0) }.filter { !$0.text.isEmpty }
    }
}

/// What stands between two semicolons, without the whitespace around it.
private struct CookiePair {
    let text: Substring.UTF8View

    init(_ text: Substring.UTF8View) { self.text = text.trimmed }

    /// The value, if the cookie has this name.
    func value(ifNamed name: String) -> String? {
        guard let equals = self.text.firstIndex(of: UInt8(ascii: "=")),
            self.text[..<equals].trimmed.elementsEqual(name.utf8)
        else { return nil }
        return String(Substring(self.text[self.text.index(after: equals)...].trimmed))
    }
}

extension Substring.UTF8View {
    /// Without the whitespace at both ends.
    fileprivate var trimmed: Substring.UTF8View {
        let start = self.firstIndex { !$0.isWhitespace } ?? self.endIndex
        let rest = self[start...]
        let end = rest.lastIndex { !$0.isWhitespace }.map { rest.index(after: $0) } ?? start
        return rest[..<end]
    }
}
