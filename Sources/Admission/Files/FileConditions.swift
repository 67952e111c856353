internal import HTTP1

/// What a request makes its answer depend on (RFC 9110 section 13).
struct FileConditions: Equatable, Sendable {
    /// What becomes of the request.
    enum Outcome: Equatable, Sendable {
        /// It is answered as if there were no conditions.
        case met
        /// The client has this file already: 304.
        case unchanged
        /// The client wants another state of it: 412.
        case failed
    }

    private let match: [String]
    private let noneMatch: [String]
    private let modifiedSince: HTTPDate?
    private let unmodifiedSince: HTTPDate?
    private let ifRange: String?

    init(_ fields: HTTPFields) {
        func date(_ name: String) -> HTTPDate? {
            if case .once(let text) = fields.only(name) { HTTPDate(text) } else { nil }
        }
        self.match = fields.elements("If-Match")
        self.noneMatch = fields.elements("If-None-Match")
        self.modifiedSince = date("If-Modified-Since")
        self.unmodifiedSince = date("If-Unmodified-Since")
        self.ifRange = fields.first("If-Range")
    }

    /// In the order of RFC 9110 section 13.2.2. A date counts only without tags.
    ///
    /// - Parameters:
    ///   - tag: the file's, with its quotes. It is a strong one.
    ///   - modified: when the file last changed, in seconds since 1970.
    func outcome(tag: String, modified: Int64) -> Outcome {
        if !self.match.isEmpty {
            guard self.match.contains(where: { $0 == tag || $0 == "*" }) else { return .failed }
        } else if let date = self.unmodifiedSince, modified > date.seconds {
            return .failed
        }
        if !self.noneMatch.isEmpty {
            let isKnown = self.noneMatch.contains { $0 == tag || $0 == "W/" + tag || $0 == "*" }
            return isKnown ? .unchanged : .met
        }
        if let date = self.modifiedSince, modified <= date.seconds { return .unchanged }
        return .met
    }

    /// Whether a range is of the file that the client has the rest of (RFC 9110 section 13.1.5).
    func allowsRange(tag: String, modified: Int64) -> Bool {
        guard let validator = self.ifRange else { return true }
        return validator == tag || HTTPDate(validator)?.seconds == modified
    }
}
