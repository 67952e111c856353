/// `mode` and `group` of an address: the permissions of a Unix socket's file, which decide what users may connect.
public struct FileAccessSettings: Equatable, Sendable {
    /// At most `0o777`.
    public var mode: UInt16
    /// By name or number; `nil`: the group of the gateway.
    public var group: String?

    /// `mode` is in permission bits, as `chmod` takes them: `0o660`.
    public init(mode: UInt16, group: String? = nil) {
        self.mode = mode
        self.group = group
    }
}
