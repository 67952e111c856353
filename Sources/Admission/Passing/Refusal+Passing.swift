/// Refusals of plain requests that would be passed to a backend.
extension Refusal {
    /// The body has more bytes than `limits.body`.
    public static func bodyTooLarge(routeIndex: Int) -> Refusal {
        Refusal(
            413, "The body of the request is too large.", cure: "The route's `limits.body` decides.",
            routeIndex: routeIndex)
    }

    /// Nothing of the body came for `timeouts.request-body`.
    public static func bodyTimeout(routeIndex: Int) -> Refusal {
        Refusal(408, "The body of the request did not arrive in time.", routeIndex: routeIndex)
    }

    /// The backend's answer cannot be read; `why` says how, for the log only.
    public static func badAnswer(_ why: String, routeIndex: Int) -> Refusal {
        var refusal = Refusal(502, "The backend did not answer as an HTTP server does.", routeIndex: routeIndex)
        refusal.detail = "The backend did not answer as an HTTP server does: \(why)."
        return refusal
    }
}
