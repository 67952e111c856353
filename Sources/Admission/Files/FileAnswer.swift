public import HTTP1

/// The answer to a `FileRequest`.
public struct FileAnswer: Equatable, Sendable {
    /// What follows the head.
    public enum Body: Equatable, Sendable {
        case none
        case text([UInt8])
        /// These bytes of the file, at least one.
        case file(Range<Int>)
    }

    /// 200 to 599.
    public let status: Int
    /// What follows the head.
    public let body: Body
    /// All but `Content-Length`, `Date` and `Connection`.
    let fields: HTTPFields
    /// The length of the body, or of that which a GET would get; `nil` for a 304.
    let length: Int?

    /// The head as it goes on the wire, and a body that is text.
    ///
    /// - Parameters:
    ///   - keepsClient: the connection goes on after it.
    ///   - headers: those of the route, which replace others of their names.
    ///   - cookies: fields Set-Cookie of the route's auth service.
    ///   - date: when it is made, as HTTP writes it.
    public func bytes(
        keepsClient: Bool, headers: HTTPFields, cookies: HTTPFields = HTTPFields(), date: String
    ) -> [UInt8] {
        var fields = self.fields
        fields.set(headers)
        fields.append(cookies)
        fields.append("Date", date)
        if let length = self.length { fields.append("Content-Length", String(length)) }
        if !keepsClient { fields.append("Connection", "close") }
        let head = ResponseHead(status: self.status, reason: reasonPhrase(ofStatus: self.status), fields: fields)
        if case .text(let text) = self.body { return head.bytes + text }
        return head.bytes
    }
}

// MARK: - Which one

extension FileRequest {
    /// The answer where there is a file, by its conditions and its range.
    public func answer(_ file: FileFacts) -> FileAnswer {
        var fields: HTTPFields = ["ETag": file.tag]
        if file.hasCodings { fields.append("Vary", "Accept-Encoding") }
        switch self.conditions.outcome(tag: file.tag, modified: file.modified) {
        case .failed: return self.answer(412, "The file has changed.", fields)
        case .unchanged:
            fields.append(self.caching)
            return FileAnswer(status: 304, body: .none, fields: fields, length: nil)
        case .met: break
        }
        var range = 0..<file.size
        var status = 200
        if let part = self.range, self.conditions.allowsRange(tag: file.tag, modified: file.modified) {
            guard let resolved = part.resolved(in: file.size) else {
                fields.append("Content-Range", "bytes */\(file.size)")
                return self.answer(416, "The file has \(file.size) bytes.", fields)
            }
            range = resolved
            status = 206
            fields.append("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.size)")
        }
        fields.append(self.caching)
        fields.append("Last-Modified", file.modifiedText)
        fields.append("Accept-Ranges", "bytes")
        fields.append("Content-Type", ContentType.of(file.name))
        fields.append("X-Content-Type-Options", "nosniff")
        if let coding = file.coding { fields.append("Content-Encoding", coding.rawValue) }
        let hasBody = !self.isHead && !range.isEmpty
        return FileAnswer(status: status, body: hasBody ? .file(range) : .none, fields: fields, length: range.count)
    }

    /// Caches that clients share may keep what says nothing else (RFC 9111 section 4.2.2), unless the request had `Authorization`: cookies and
    /// certificates do not count.
    private var caching: HTTPFields { self.isPrivate ? ["Cache-Control": "private"] : HTTPFields() }

    /// The answer where there is a folder in place of a file: its path with a slash at the end, so that what a page there names is found
    /// below it.
    public var folderAnswer: FileAnswer {
        let path = self.target.original.prefix { $0 != "?" }
        let location = path + "/" + (self.target.query.map { "?\($0)" } ?? "")
        return self.answer(308, "This is at \(shown(String(location)))", ["Location": String(location)])
    }

    /// The answer where there is no file.
    public var absentAnswer: FileAnswer { self.answer(404, "Nothing is served at \(shown(self.target.path)).") }

    /// The answer where the gateway's user may not read the file.
    public var deniedAnswer: FileAnswer { self.answer(403, "\(shown(self.target.path)) is not served.") }

    private func answer(_ status: Int, _ text: String, _ more: HTTPFields = HTTPFields()) -> FileAnswer {
        let body = Array((text + "\n").utf8)
        var fields: HTTPFields = [
            "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        ]
        fields.append(more)
        return FileAnswer(
            status: status, body: self.isHead ? .none : .text(body), fields: fields, length: body.count)
    }
}

extension Refusal {
    /// The file cannot be opened or read, or not in time; `why` is for the log only.
    ///
    /// - Parameter status: 500, 503 or 504.
    public static func fileFailed(_ status: Int, _ why: String, _ request: FileRequest) -> Refusal {
        var refusal = Refusal(
            status, "The file cannot be read.", fields: status == 503 ? ["Retry-After": "5"] : HTTPFields(),
            routeIndex: request.routeIndex)
        refusal.detail = "The file cannot be read: \(why)."
        refusal.isToHead = request.isHead
        return refusal
    }
}
