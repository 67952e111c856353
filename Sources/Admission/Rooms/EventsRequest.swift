internal import Configuration
public import HTTP1

/// A request of a member that only listens, by server-sent events (HTML Living Standard, section 9.2): a room's messages are its answer.
public struct EventsRequest: Equatable, Sendable {
    let checked: CheckedRequest
    /// Points into `GatewayConfiguration.routes`.
    public let routeIndex: Int
    /// The room, and where it begins.
    public let room: RoomRequest
    /// Which other pages may read the answer.
    private let access: HTTPFields

    /// - Throws: 400 for what is no room, or no place in its history.
    init(_ request: CheckedRequest, on route: RouteSettings, routeIndex: Int) throws(Refusal) {
        self.checked = request
        self.routeIndex = routeIndex
        let asked = try RoomRequest(request, subprotocol: nil, on: route.path, routeIndex: routeIndex)
        // A browser sends it when it comes back, with the same URL as before.
        let last = request.head.fields.first("Last-Event-ID").map { RoomRequest.Start(position: $0) ?? .unknown }
        self.room = RoomRequest(asked.name, from: last ?? asked.start)
        switch (route.origins, request.origin) {
        case (.any, _): self.access = ["Access-Control-Allow-Origin": "*"]
        case (.list, let origin?):
            self.access = [
                "Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true", "Vary": "Origin",
            ]
        case (.list, nil), (.sameOrigin, _): self.access = HTTPFields()
        }
    }

    /// Whether a request asks for events.
    static func isAsked(by request: CheckedRequest) -> Bool {
        guard request.head.method == "GET", !request.isUpgrade else { return false }
        return request.head.fields.hasElement("Accept") { range in
            let end = range.firstIndex(of: UInt8(ascii: ";")) ?? range.count
            return range.extracting(..<end).equalsIgnoringCase("text/event-stream".utf8.span)
        }
    }

    /// Its path has a `%2F`.
    public var hasEncodedSlash: Bool { self.checked.target.hasEncodedSlash }

    /// The head of the answer, which chunks follow. The parameters as in `Answer.bytes`.
    public func head(headers: HTTPFields, cookies: HTTPFields, date: String) -> [UInt8] {
        var fields: HTTPFields = [
            "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
        ]
        fields.append(self.access)
        fields.set(headers)
        fields.append(cookies)
        fields.append("Date", date)
        fields.append("Transfer-Encoding", "chunked")
        fields.append("Connection", "close")
        return ResponseHead(status: 200, reason: reasonPhrase(ofStatus: 200), fields: fields).bytes
    }
}
