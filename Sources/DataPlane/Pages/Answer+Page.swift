internal import Admission
internal import Configuration

extension Answer {
    /// A built-in page.
    ///
    /// - Parameters:
    ///   - scheme: that of the client's URL. The page connects by the one that belongs to it.
    ///   - host: the request's host, as trusted proxies name it, in the form of `Authority.host`.
    static func page(
        _ page: BuiltinPage, _ configuration: ActiveConfiguration, _ scheme: ClientScheme, host: String
    ) -> Answer {
        switch page {
        case .console:
            let paths = ConsolePage.paths(of: configuration.settings, host: host) { path in
                configuration.routeTable.match(scheme, host: host, path: path)
            }
            return .page(ConsolePage.html(offering: paths))
        }
    }
}
