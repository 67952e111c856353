internal import Sessions

/// A session that a reload may end: one with a WebSocket, or one that listens by events.
protocol Reloadable: AnyObject {
    var id: SessionID { get }

    /// What a new configuration would do to the session; `nil` if it is not open.
    func fate(under configuration: ActiveConfiguration) -> ActiveConfiguration.Fate?
    /// A new configuration is in force. A session that it has no place for is closed later, at its paced time.
    func follow(_ fate: ActiveConfiguration.Fate)
}
