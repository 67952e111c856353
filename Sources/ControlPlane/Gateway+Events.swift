public import Observability

/// What operators look back on, and listen to. All on the control thread.
extension Gateway {
    /// The last sessions that ended, the newest first.
    public var lastCloses: [ClosedSession] { self.log.feed.lastCloses }

    /// The last clients that were turned away, the newest first.
    public var lastRefusals: [RefusedRequest] { self.log.feed.lastRefusals }

    /// What was counted in the last quarter of an hour, the oldest step first.
    public var activity: [ActivityPoint] { self.history.points }

    /// How long a step of `activity` is.
    public static var activityStep: Duration { ActivityHistory.step }

    /// Calls `tell` for all that happens from now on, until `stopListening`. There is one listener at a time.
    public func listen(_ tell: @escaping (GatewayEvent) -> Void) { self.events.listen(tell) }

    /// Ends what `listen` began.
    public func stopListening() { self.events.stop() }
}
