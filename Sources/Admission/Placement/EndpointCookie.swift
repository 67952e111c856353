public import Configuration
internal import HTTP1

/// The cookie of `balance: cookie`, by which a client comes back to its endpoint. It is made once for a configuration.
public struct EndpointCookie: Sendable {
    /// The name, which has the backend's in it.
    let name: String
    private let sameSite: SameSite
    /// The values that stand for the endpoints, in their order.
    private let values: [String]
    /// The endpoints by their values.
    private let places: [String: Int]

    /// - Parameter values: what stands for each endpoint, in their order. They depend on nothing but the endpoint as it is configured, so that
    ///   they are the same after a reload and in other gateways.
    public init(of backend: BackendSettings, values: [String]) {
        self.name = backend.cookieName
        self.sameSite = backend.cookie.sameSite
        self.values = values
        self.places = Dictionary(values.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The place of the first endpoint that the request's cookies name; `nil`: it has no such cookie, or that endpoint is gone.
    func place(in fields: HTTPFields) -> Int? {
        fields.cookies(self.name).lazy.compactMap { self.places[$0] }.first
    }

    /// The value of Set-Cookie (RFC 6265 section 4.1) for a client of the endpoint at `place`.
    ///
    /// - Parameter isSecure: the client came by https. Browsers take a cookie for pages of other sites only then.
    func setCookie(for place: Int, isSecure: Bool) -> String {
        "\(self.name)=\(self.values[place])" + Self.attributes(self.sameSite, isSecure: isSecure)
    }

    /// What follows name and value.
    static func attributes(_ sameSite: SameSite, isSecure: Bool) -> String {
        "; Path=/; HttpOnly; SameSite=" + (sameSite == .none && isSecure ? "None" : "Lax")
            + (isSecure ? "; Secure" : "")
    }
}
