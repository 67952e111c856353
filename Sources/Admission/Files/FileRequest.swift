internal import Configuration
internal import HTTP1

/// A GET or HEAD on a route with `files`: all that its answer depends on, besides the file.
public struct FileRequest: Equatable, Sendable {
    /// Where the file is looked for.
    public enum Place: Equatable, Sendable {
        /// `files` of a route with an exact path: this file.
        case file(String)
        case below(folder: String, FileName)
        /// Nowhere: files at this path are never served.
        case hidden
    }

    /// Points into `GatewayConfiguration.routes`.
    public let routeIndex: Int
    /// The field Host; `nil` without one.
    public let host: String?
    /// GET or HEAD.
    public let method: String
    /// Where the file is looked for.
    public let place: Place
    /// What the client gets where there is no file.
    public let fallback: FileName?
    /// The codings in which the client prefers the file, best first.
    public let codings: [ContentCoding]
    /// Another request may follow on the connection.
    public let keepsClient: Bool
    /// What the client has already.
    let conditions: FileConditions
    /// The part that is asked for; `nil`: all of it.
    let range: ByteRange?
    /// Path and query as sent.
    let target: RequestTarget
    /// It needed a credential, so that no cache may keep the file for others.
    var isPrivate = false

    init(_ request: CheckedRequest, _ files: FilesSettings, on route: PathPattern, routeIndex: Int) {
        let fields = request.head.fields
        self.routeIndex = routeIndex
        self.host = request.host?.text
        self.method = request.head.method
        self.target = request.target
        var name: FileName?
        switch route {
        case .exact: self.place = .file(files.path)
        case .subtree(let prefix):
            name = FileName(request.target.path, below: prefix)
            self.place = name.map { .below(folder: files.path, $0) } ?? .hidden
        }
        self.fallback =
            name.map(\.hasExtension) == false && request.wantsPage
            ? files.fallback.map { FileName(configured: $0) } : nil
        self.codings = ContentCoding.accepted(fields)
        self.conditions = FileConditions(fields)
        // Only a GET has parts (RFC 9110 section 14.2).
        if self.method == "GET", case .once(let text) = fields.only("Range") {
            self.range = ByteRange(text)
        } else {
            self.range = nil
        }
        self.keepsClient = request.keepsClient
    }

    /// As routes see it, without the query.
    public var path: String { self.target.path }

    /// The answer has no body.
    public var isHead: Bool { self.method == "HEAD" }
}
