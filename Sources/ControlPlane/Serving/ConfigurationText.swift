internal import System

/// What a configuration was read from.
public struct ConfigurationText: Sendable {
    /// The bytes of the file, with all secrets that it has.
    public var bytes: [UInt8] = []
    /// The path of the file, or the name of a pipe; `nil`: there is none (`gateway bridge`).
    public var path: String?
    /// When it was read, as RFC 3339.
    public var time = WallClock.rfc3339()
    /// The keys that differ from the start, and take effect only when the gateway starts again.
    public var awaitingStart: [String] = []

    /// See the properties.
    public init(bytes: [UInt8] = [], path: String? = nil) {
        self.bytes = bytes
        self.path = path
    }
}
