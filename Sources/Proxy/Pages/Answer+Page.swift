internal import Configuration

extension Answer {
    /// A page that the gateway has built in.
    static func page(_ page: RouteSettings.Page) -> Answer {
        switch page {
        case .console: .page(PackageResources.console_html)
        }
    }
}
