/// `forward:` a service that is asked about each request.
public struct ForwardSettings: Equatable, Sendable, KeyedSettings {
    /// `url`: what is asked.
    public var url: WebURL
    /// `send`: fields of its answer that backends get.
    public var send: [String] = []
    /// `again`: how often it is asked about a session that is open; `nil`: never.
    public var again = Keys.forward.again.default
    /// `tls.ca`: a PEM file of authorities; `nil`: the system's.
    public var ca: String?

    /// Settings in which every other key is absent.
    public init(url: WebURL) {
        self.url = url
    }

    static let fields = [Field(Keys.forward.again, \Self.again)]
}
