/// `mode` and `group` of an address: the permissions of a Unix socket's file, which decide what users may connect.
package struct FileAccessSettings: Equatable, Sendable {
    /// At most `0o777`.
    package var mode: UInt16
    /// By name or number; `nil`: the group of the gateway.
    package var group: String?

    package init(mode: UInt16, group: String? = nil) {
        self.mode = mode
        self.group = group
    }
}
