/// An object in JSON. No two of its members have the same name.
struct JSONObject: Equatable, Sendable {
    struct Member: Equatable, Sendable {
        let name: String
        let value: JSONValue
    }

    /// In the order of the text.
    let members: [Member]

    /// The value of the member of this name, which is compared byte by byte.
    subscript(name: String) -> JSONValue? { self.members.first { $0.name.isExactly(name) }?.value }
}
