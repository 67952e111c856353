internal import Admission
internal import Configuration

extension Answer {
    /// A page that the gateway has built in.
    ///
    /// - Parameter host: the one it was asked for at, as far as proxies that are trusted name it, as `Authority.host`.
    static func page(_ page: BuiltinPage, _ configuration: ActiveConfiguration, host: String) -> Answer {
        switch page {
        case .console:
            let paths = ConsolePage.paths(of: configuration.settings, host: host) { path in
                configuration.routeTable.match(host: host, path: path)
            }
            return .page(ConsolePage.html(offering: paths))
        }
    }
}
