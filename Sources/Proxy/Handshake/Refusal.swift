internal import HTTP1

/// Why a request is not upgraded, and what is answered: the table of design section 7.
struct Refusal: Hashable, Sendable {
    let status: Int
    /// For the client: short, and naming the cure.
    let text: String
    /// For the log: may say more than the client should know.
    let detail: String
    var fields: HTTPFields = []
    /// The route, where the request got that far.
    var routeIndex: Int?

    init(_ status: Int, _ text: String, detail: String? = nil, fields: HTTPFields = [], routeIndex: Int? = nil) {
        self.status = status
        self.text = text
        self.detail = detail ?? text
        self.fields = fields
        self.routeIndex = routeIndex
    }

    init(_ error: HeadError) {
        switch error.kind {
        case .malformed, .unsupportedVersion: self.init(400, error.description)
        case .tooLarge: self.init(431, error.description)
        }
    }

    func on(_ routeIndex: Int) -> Refusal {
        var refusal = self
        refusal.routeIndex = routeIndex
        return refusal
    }

    private static let retry: HTTPFields = [.init("Retry-After", "5")]

    static func malformed(_ text: String) -> Refusal { Refusal(400, text) }

    static let noRoute = Refusal(404, "No route leads here.")

    static func methodNotAllowed(allow: String) -> Refusal {
        Refusal(405, "Only \(allow) is allowed here.", fields: [.init("Allow", allow)])
    }

    static let upgradeRequired = Refusal(
        426, "This is a WebSocket address: connect with a WebSocket client.",
        fields: [.init("Upgrade", "websocket"), .init("Connection", "Upgrade, close")])

    static let versionRequired = Refusal(
        426, "Only WebSocket version 13 is spoken here.",
        fields: [
            .init("Upgrade", "websocket"), .init("Connection", "Upgrade, close"), .init("Sec-WebSocket-Version", "13"),
        ])

    static let badKey = Refusal(400, "Sec-WebSocket-Key is missing or is not the Base64 of 16 bytes.")

    static func origin(_ detail: String) -> Refusal { Refusal(403, "This Origin is not allowed here.", detail: detail) }

    static let subprotocol = Refusal(400, "None of the offered subprotocols is spoken here.")

    static let requestTimeout = Refusal(408, "The request took too long.")

    static let noEndpoint = Refusal(503, "No backend is available.", fields: retry)

    static let draining = Refusal(503, "The gateway is going down.", detail: "draining", fields: retry)

    static func connectFailed(_ detail: String) -> Refusal { Refusal(502, "The backend cannot be reached.", detail: detail) }

    static func badBackend(_ detail: String) -> Refusal {
        Refusal(502, "The backend did not answer as a WebSocket server.", detail: detail)
    }

    static func backendTimeout(_ detail: String) -> Refusal { Refusal(504, "The backend took too long.", detail: detail) }

    static let internalError = Refusal(500, "Something went wrong in the gateway.")
}
