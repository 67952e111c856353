internal import HTTP1

extension Refusal {
    /// The payload has more bytes than `limits.message`.
    public static func payloadTooLarge(routeIndex: Int) -> Refusal {
        Refusal(
            413, "The message is too large.", cure: "The route's `limits.message` decides.", routeIndex: routeIndex)
    }

    /// The server that several gateways share has not confirmed a message, or there is no link to it.
    public static func notPublished(routeIndex: Int) -> Refusal {
        Refusal(
            503, "The server of the rooms does not answer: the message may not be published.",
            cure: "Try again soon, with the same Idempotency-Key.", fields: ["Retry-After": "1"],
            routeIndex: routeIndex)
    }

    /// Members on some worker did not get earlier messages yet.
    public static func roomsBehind(routeIndex: Int) -> Refusal {
        Refusal(
            503, "The gateway is behind with delivering.", cure: "Try again soon.", fields: ["Retry-After": "1"],
            routeIndex: routeIndex)
    }
}
