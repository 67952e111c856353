internal import HTTP1

extension RequestTarget {
    /// The values of the query's parameters of that name, in their order, decoded.
    ///
    /// - Parameter name: decoded. Case counts.
    func parameters(_ name: String) -> [String] { self.query.map { QueryParameters($0).values(name) } ?? [] }
}
