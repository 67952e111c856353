internal import Admission
internal import Configuration

extension Answer {
    /// A built-in page.
    ///
    /// - Parameter host: the request's host, as trusted proxies name it, in the form of `Authority.host`.
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
