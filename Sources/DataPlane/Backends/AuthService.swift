public import Configuration

/// A service that decides which clients are let in (`forward` of a route). All workers share it.
public final class AuthService: Sendable {
    /// The index of what each worker keeps for it.
    public let index: Int
    /// What is asked.
    public let url: WebURL
    /// A PEM file of authorities to trust; `nil`: the system's.
    public let ca: String?
    /// Its addresses.
    public let endpoint: Endpoint

    /// - Parameters:
    ///   - index: see `index`.
    ///   - previous: the same service until now, with the addresses that are known.
    public init(index: Int, _ settings: ForwardSettings, replacing previous: AuthService? = nil) {
        self.index = index
        self.url = settings.url
        self.ca = settings.ca
        self.endpoint = previous?.endpoint ?? Endpoint(settings.url)
    }

    /// Whether this is what a route has in mind.
    public func isOf(_ settings: ForwardSettings) -> Bool { self.url == settings.url && self.ca == settings.ca }
}
