internal import HTTP1

/// Where a Redis server is: `redis://10.0.0.5:6379/0`, `rediss://redis.internal` with TLS, or `unix:/run/redis.sock`.
public struct RedisServer: Hashable, Sendable {
    /// Host and port, or a Unix socket; 6379 where no port is written.
    public let address: Address
    /// The number of the database.
    public let database: Int
    /// `rediss`.
    public let tls: Bool

    private static let defaultPort: UInt16 = 6379
    private static let mostDatabase = 1_000_000

    /// - Throws: A `Mistake` for anything else. It does not say a password that is in the URL.
    init(parsing text: String) throws(Mistake) {
        guard !text.hasPrefix("unix:") else {
            self.address = try Address(parsing: text, for: .connect)
            self.database = 0
            self.tls = false
            return
        }
        func refused(_ hint: String) -> Mistake {
            Mistake("must be a URL such as `redis://10.0.0.5:6379/0` or `unix:/run/redis.sock`: \(hint)")
        }
        guard let separator = text.firstRange(of: "://"),
            ["redis", "rediss"].contains(String(text[..<separator.lowerBound]))
        else { throw refused("it must start with `redis://`, `rediss://` or `unix:`") }
        let rest = text[separator.upperBound...]
        guard !rest.contains("@") else {
            throw refused("leave user and password out, they are the keys `user` and `password`")
        }
        guard !rest.contains(",") else { throw refused("it is one server, not a list") }
        let authority = rest.prefix { !"/?#".contains($0) }
        let tail = rest[authority.endIndex...]
        guard !authority.isEmpty, !authority.hasPrefix(":") else { throw refused("it has no host") }
        guard !tail.contains(where: { "?#".contains($0) }) else { throw refused("leave `?` and `#` out") }
        let (host, port) = try Address.split(String(authority), for: .connect)
        self.address = .tcp(host: host, port: port ?? Self.defaultPort)
        let digits = tail.dropFirst()
        guard digits.isEmpty || digits.utf8.allSatisfy(\.isDigit), let database = Int(digits.isEmpty ? "0" : digits),
            database <= Self.mostDatabase
        else { throw refused("behind the host is the number of a database, such as `/0`") }
        self.database = database
        self.tls = text.hasPrefix("rediss:")
    }
}

extension RedisServer: CustomStringConvertible {
    /// As it can be written in the configuration.
    public var description: String {
        guard case .tcp = self.address else { return "\(self.address)" }
        return "\(self.tls ? "rediss" : "redis")://\(self.address)/\(self.database)"
    }
}
