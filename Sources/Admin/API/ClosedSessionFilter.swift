internal import Configuration
internal import Observability
internal import Sessions

/// Which of the last closes `/api/closes` lists: those for which each part holds. A part that is `nil` holds for all.
public struct ClosedSessionFilter: Equatable, Sendable {
    var cause: Cause?
    var session: SessionID?
    var route: String?
    var endpoint: String?
    var client: IPNetwork?
    var code: Code?

    /// The code that the log has.
    enum Code: Equatable {
        /// There was no Close.
        case absent
        case number(UInt16)
    }

    func holds(for close: ClosedSession) -> Bool {
        if let cause = self.cause, cause != close.cause { return false }
        if let session = self.session, session != close.session { return false }
        if let route = self.route, route != close.route { return false }
        if let endpoint = self.endpoint, endpoint != close.endpoint { return false }
        if let client = self.client, IPAddress(close.client).map({ client.contains($0) }) != true { return false }
        if let code = self.code, code != close.code.map({ .number($0) }) ?? .absent { return false }
        return true
    }
}

extension ClosedSessionFilter {
    init(_ request: AdminRequest) throws(AdminResponse) {
        let parameters = try AdminParameters(
            of: request, names: ["cause", "session", "route", "endpoint", "client", "code"])
        self.route = try parameters.text("route")
        self.endpoint = try parameters.text("endpoint")
        self.client = try parameters.network("client")
        if let word = try parameters.text("cause") {
            guard let cause = Cause(rawValue: word) else {
                throw .error(400, "`cause` is one of \(Cause.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            self.cause = cause
        }
        if let text = try parameters.text("session") {
            guard let session = SessionID(text) else { throw .error(400, "`session` is the id of one: 16 digits") }
            self.session = session
        }
        if let text = try parameters.text("code") {
            guard let code = Code(text) else { throw .error(400, "`code` is a close code, such as 1011, or none") }
            self.code = code
        }
    }
}

extension ClosedSessionFilter.Code {
    fileprivate init?(_ text: String) {
        if text == "none" {
            self = .absent
        } else if let number = UInt16(text), (1000...4999).contains(number) {
            self = .number(number)
        } else {
            return nil
        }
    }
}
