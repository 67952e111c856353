internal import Admission
internal import Synchronization

/// The tokens of a backend: the table that is in force. The control thread replaces it; workers only look tokens up.
public final class TokenTargets: Sendable {
    /// The file of tokens, or the folder of such files.
    public let path: String
    /// `nil` until the files were read.
    private let table = Mutex<TokenTable?>(nil)

    /// Nothing is read yet.
    init(path: String) { self.path = path }

    /// The table in force; `nil` until the files were read.
    public var current: TokenTable? { self.table.withLock { $0 } }

    /// Puts another table in force.
    public func use(_ table: TokenTable) {
        var other: TokenTable? = table
        // The old one is let go of after the lock: it may have thousands of endpoints.
        self.table.withLock { swap(&$0, &other) }
    }

    /// The endpoint that a request's token stands for.
    ///
    /// - Throws: the refusal of a request: its token is unknown, or cannot be looked up yet.
    func endpoint(for token: String, routeIndex: Int) throws(Refusal) -> Endpoint {
        guard let table = self.current else { throw .noEndpoint(routeIndex: routeIndex) }
        guard let endpoint = table.endpoint(for: token) else { throw .unknownToken(routeIndex: routeIndex) }
        return endpoint
    }
}
