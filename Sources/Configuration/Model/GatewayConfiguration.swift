/// A whole `gateway.conf`, checked and typed. Every default is already filled in.
package struct GatewayConfiguration: Equatable, Sendable {
    /// How many worker threads relay sessions; `nil` (`auto`) is one per core.
    package var workers: Int?
    package var log = LogSettings()
    /// Networks whose `X-Forwarded-*` fields are believed.
    package var trustedProxies: [IPNetwork] = []
    package var listeners: [ListenerSettings] = []
    /// In the order of the file: the first match wins.
    package var routes: [RouteSettings] = []
    /// By name. Every `RouteSettings.Action.backend` names one of these.
    package var backends: [String: BackendSettings] = [:]

    package init() {}
}

/// `log:` what is logged, how and where.
package struct LogSettings: Equatable, Sendable {
    package enum Format: String, CaseIterable, Sendable {
        /// Text where the output is a terminal, else JSON.
        case auto
        case text
        case json
    }

    package enum Level: String, CaseIterable, Sendable {
        case debug
        case info
        case warning
        case error
    }

    package var format = Format.auto
    package var level = Level.info
    /// A file to append to; `nil` is standard error.
    package var file: String?

    package init() {}
}
