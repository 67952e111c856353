internal import Configuration
internal import HTTP1

/// A request head that is not whole yet.
struct PartialRequest {
    var bytes: [UInt8]
    var parser: RequestHeadParser

    /// Whether a route serves HTTP/1.0 is decided once the route is known.
    ///
    /// - Parameter bytes: what came behind the request before.
    init(_ limits: ListenerSettings.Limits, bytes: [UInt8] = []) {
        self.bytes = bytes
        self.parser = RequestHeadParser(limits: HeadLimits(bytes: limits.head.rawValue), takesHTTP10: true)
    }
}
