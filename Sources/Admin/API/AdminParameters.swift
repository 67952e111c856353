internal import Configuration
internal import HTTP1
internal import Observability

/// The parameters of a request's query. It knows all of their names, so that an unknown one is an error: if a misspelt filter were ignored,
/// the answer would be about all sessions.
struct AdminParameters {
    private let values: [String: String]

    /// - Throws: the answer for a name that is not known, or is repeated.
    init(of request: AdminRequest, names: [String]) throws(AdminResponse) {
        let parameters = QueryParameters(request.query)
        for name in parameters.names where !names.contains(name) {
            let known = names.isEmpty ? "none" : names.joined(separator: ", ")
            throw .error(400, "unknown parameter \(name.cut): there are \(known)")
        }
        var values: [String: String] = [:]
        for name in names {
            let given = parameters.values(name)
            guard given.count <= 1 else { throw .error(400, "more than one \(name)") }
            values[name] = given.first
        }
        self.values = values
    }

    /// `nil`: it is not there.
    ///
    /// - Throws: the answer for an empty one.
    func text(_ name: String) throws(AdminResponse) -> String? {
        guard let text = self.values[name] else { return nil }
        guard !text.isEmpty else { throw .error(400, "`\(name)` is empty") }
        return text
    }

    /// `name=true`, `name=1` and `name` alone are true; no such parameter is false.
    func flag(_ name: String) throws(AdminResponse) -> Bool {
        switch self.values[name] {
        case nil, "false", "0": return false
        case "", "true", "1": return true
        default: throw .error(400, "`\(name)` is true or false")
        }
    }

    func network(_ name: String) throws(AdminResponse) -> IPNetwork? {
        guard let text = try self.text(name) else { return nil }
        return try .named(text, of: name)
    }

    /// A whole number in a range.
    func number(_ name: String, in range: ClosedRange<Int>) throws(AdminResponse) -> Int? {
        guard let text = try self.text(name) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw .error(400, "`\(name)` is a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

extension AdminRequest {
    /// Refuses a query where there is nothing to choose: a `dry-run` that is ignored would do what it is to prevent.
    func takesNoParameters() throws(AdminResponse) { _ = try AdminParameters(of: self, names: []) }

    /// The query is `dry-run`, or nothing.
    func dryRun() throws(AdminResponse) -> Bool {
        try AdminParameters(of: self, names: ["dry-run"]).flag("dry-run")
    }
}

extension IPNetwork {
    /// - Throws: the answer for what is no network.
    static func named(_ text: String, of name: String) throws(AdminResponse) -> IPNetwork {
        guard let network = IPNetwork(text) else {
            throw .error(400, "`\(name)` is an address or a network, such as 10.0.0.0/8")
        }
        return network
    }
}
