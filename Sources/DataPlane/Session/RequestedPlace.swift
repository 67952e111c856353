internal import Admission
internal import HTTP1

/// The host and the path that a refused request asked for, for operators.
struct RequestedPlace {
    /// The field Host; `nil` without one.
    let host: String?
    /// Without the query. It may have a token. `nil` if the target has no path.
    let path: String?

    init(_ head: RequestHead) {
        self.host = head.fields.first("Host")
        self.path = Self.path(of: head.target)
    }

    init(_ request: FileRequest) {
        self.host = request.host
        self.path = request.path
    }

    /// Of a URL only what stands behind its authority, which may have a password.
    private static func path(of target: String) -> String? {
        let target = target.prefix { $0 != "?" }
        guard !target.hasPrefix("/") else { return String(target) }
        guard let authority = target.firstRange(of: "://") else { return nil }
        return target[authority.upperBound...].firstIndex(of: "/").map { String(target[$0...]) } ?? "/"
    }
}
