internal import FoundationEssentials

/// What the body of a request says. It knows all of its keys, so that an unknown one is an error: if a misspelt `backend` were ignored, the
/// whole gateway would drain.
protocol AdminBody: Decodable {
    associatedtype Key: CodingKey & CaseIterable
}

extension AdminRequest {
    /// Decodes the body as JSON, whatever its Content-Type is; `nil` if there is no body.
    func decoded<Content: AdminBody>(as type: Content.Type) throws(AdminResponse) -> Content? {
        guard !self.body.isEmpty else { return nil }
        let known = Content.Key.allCases.map(\.stringValue)
        let data = Data(self.body)
        let content: Content
        let keys: AnyKeys
        do {
            content = try JSONDecoder().decode(type, from: data)
            keys = try JSONDecoder().decode(AnyKeys.self, from: data)
        } catch {
            throw .error(400, "the body has to be a JSON object of \(known.joined(separator: ", "))")
        }
        if let unknown = keys.names.sorted().first(where: { !known.contains($0) }) {
            throw .error(400, "unknown key \(unknown): there are \(known.joined(separator: ", "))")
        }
        // A variable that was not set: it must not mean all.
        if let empty = keys.nulls.sorted().first { throw .error(400, "`\(empty)` is null: leave it out") }
        return content
    }
}

/// The keys of any object.
private struct AnyKeys: Decodable {
    struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    var names: [String]
    /// Those with the value null.
    var nulls: [String]

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        self.names = container.allKeys.map(\.stringValue)
        self.nulls = try container.allKeys.filter { try container.decodeNil(forKey: $0) }.map(\.stringValue)
    }
}
