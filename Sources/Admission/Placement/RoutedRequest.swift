internal import HTTP1

/// A request with a known route, an upgrade or a plain one: what the choice of its endpoint depends on.
protocol RoutedRequest {
    /// Path and query, normalised and as sent.
    var target: RequestTarget { get }
    /// All fields, as sent.
    var fields: HTTPFields { get }
    /// The client came by https, to us or to a trusted proxy.
    var isSecure: Bool { get }
}
