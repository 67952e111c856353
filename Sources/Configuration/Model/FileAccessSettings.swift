/// `mode` and `group` of an address: who may connect to a Unix socket, by the permissions of its file.
package struct FileAccessSettings: Equatable, Sendable {
    /// At most `0o777`.
    package var mode: UInt16
    /// By name or number; `nil`: the gateway's own.
    package var group: String?

    package init(mode: UInt16, group: String? = nil) {
        self.mode = mode
        self.group = group
    }
}
