/// `redirect:` of a route.
public struct RedirectSettings: Equatable, Sendable {
    /// `to`
    public var target: RedirectTarget
    /// `status` of the answer.
    public var status = Keys.redirect.status.default

    /// A redirect with the default status.
    public init(to target: RedirectTarget) {
        self.target = target
    }
}
