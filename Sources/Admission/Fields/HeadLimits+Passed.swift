internal import HTTP1

extension HeadLimits {
    /// The most bytes in the head of a backend's answer to a plain request.
    static let passedBytes = 64 << 10

    /// Those of such a head.
    static var passed: HeadLimits { HeadLimits(bytes: self.passedBytes, fields: 200) }
}
