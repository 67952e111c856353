internal import Configuration
internal import Sessions
internal import TLS

/// The endpoints that tokens stand for, as the files said at one moment. It does not change.
///
/// Tokens are looked up by a hash with a key that is drawn for each table, and only those hashes are compared. So the time that a look-up takes
/// says nothing of the tokens there are; and they are not kept.
public final class TokenTable: Sendable {
    /// Each once, whatever number of tokens stands for it.
    public let endpoints: [Endpoint]
    private let key = Randomness.bytes(32)
    private let places: [[UInt8]: Int]

    /// - Parameter previous: the table until now. Endpoints that it also has are the same objects.
    public init(_ lines: TokenLines, replacing previous: TokenTable? = nil) {
        var endpoints: [Endpoint] = []
        var indices: [Address: Int] = [:]
        var places: [[UInt8]: Int] = [:]
        let known = previous.map { table in
            Dictionary(table.endpoints.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
        }
        for entry in lines.entries {
            let index = indices[entry.address] ?? endpoints.count
            if index == endpoints.count {
                indices[entry.address] = index
                endpoints.append(known?[entry.address] ?? Endpoint(TCPEndpoint(address: entry.address)))
            }
            places[Digest.hmac(entry.token, key: self.key)] = index
        }
        self.endpoints = endpoints
        self.places = places
    }

    /// How many tokens it has.
    public var count: Int { self.places.count }

    /// The endpoint that a token stands for; `nil`: it is unknown.
    public func endpoint(for token: String) -> Endpoint? {
        self.places[Digest.hmac(Array(token.utf8), key: self.key)].map { self.endpoints[$0] }
    }
}
