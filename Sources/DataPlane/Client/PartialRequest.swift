internal import Configuration
internal import HTTP1
internal import System

/// A request head that is not whole yet.
struct PartialRequest {
    /// What the bytes so far amount to.
    enum Progress {
        case incomplete
        /// A whole head, and what came behind it.
        case head(RequestHead, rest: [UInt8])
        case invalid(HeadError)
    }

    /// What came so far.
    private(set) var bytes: [UInt8]
    private var parser: RequestHeadParser

    /// Whether a route serves HTTP/1.0 is decided once the route is known.
    ///
    /// - Parameter bytes: what came behind the request before.
    init(_ limits: ListenerSettings.Limits, bytes: [UInt8] = []) {
        self.bytes = bytes
        self.parser = RequestHeadParser(limits: HeadLimits(bytes: limits.head.rawValue), takesHTTP10: true)
    }

    /// Reads on, with `new` behind what came so far. A head that comes in one piece is read where it is.
    mutating func take(_ new: Span<UInt8>) -> Progress {
        guard self.bytes.isEmpty else {
            self.bytes.append(new)
            let bytes = self.bytes
            return self.parse(bytes.span)
        }
        let progress = self.parse(new)
        if case .incomplete = progress { self.bytes.append(new) }
        return progress
    }

    private mutating func parse(_ bytes: Span<UInt8>) -> Progress {
        switch self.parser.parse(bytes) {
        case .incomplete: .incomplete
        case .invalid(let error): .invalid(error)
        case .head(let head, let length):
            .head(head, rest: length == bytes.count ? [] : [UInt8](copying: bytes.extracting(length...)))
        }
    }
}
