/// The version of the gateway, for the log, the metrics and `gateway version`.
enum Version {
    static let current = "0.1.0"
}
