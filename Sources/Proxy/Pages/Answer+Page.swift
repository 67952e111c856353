internal import Configuration

extension Answer {
    /// A page that the gateway has built in.
    ///
    /// - Parameter host: the one it was asked for at, as `Authority.host`.
    static func page(_ page: RouteSettings.Page, _ runtime: Runtime, host: String) -> Answer {
        switch page {
        case .console:
            .page(
                ConsolePage.html(
                    offering: ConsolePage.paths(of: runtime.configuration, runtime.routeTable, host: host)))
        }
    }
}
