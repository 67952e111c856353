/// `heartbeat:` of `defaults`, a route or a backend, each part absent where it was not written.
struct HeartbeatSection {
    private struct Parts {
        var interval: Duration?
        var timeout: Duration?
    }

    /// `nil` where nothing was written.
    private var written: Switched<Parts>?

    /// More often would be load, not life; short ones are for tests.
    private static let intervals = Duration.milliseconds(100)...Duration.seconds(86400)
    private static let timeouts = Duration.milliseconds(50)...Duration.seconds(86400)

    init() {}

    /// - Parameter mapping: The section that has the key.
    init(_ mapping: MappingReader) {
        switch mapping.mappingOrOff("heartbeat", .heartbeat) {
        case .on(let parts):
            self.written = .on(
                Parts(
                    interval: parts.value("interval", Quantity.duration(Self.intervals)),
                    timeout: parts.value("timeout", Quantity.duration(Self.timeouts))))
        case .off: self.written = .off
        case nil: break
        }
    }

    /// The heartbeat with what was written here in place of what is there; one that was off starts from the defaults.
    func applied(to heartbeat: HeartbeatSettings?) -> HeartbeatSettings? {
        switch self.written {
        case nil: return heartbeat
        case .off: return nil
        case .on(let parts):
            var heartbeat = heartbeat ?? HeartbeatSettings()
            heartbeat.interval = parts.interval ?? heartbeat.interval
            heartbeat.timeout = parts.timeout ?? heartbeat.timeout
            return heartbeat
        }
    }
}
