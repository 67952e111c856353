internal import Configuration
internal import Sessions
internal import WebSocketProtocol

/// Tails of the session. While there is one, its conversation is wrapped in a `TailedConversation`, so that all others pay nothing for
/// them.
extension Session {
    /// What shows the session's frames; `nil` if no tail is on it.
    var tailed: TailedConversation? { self.conversation as? TailedConversation }

    /// The conversation without what shows its frames.
    var plainConversation: (any Conversation)? {
        get { self.tailed?.inner ?? self.conversation }
        set {
            if let tailed = self.tailed, let newValue { tailed.inner = newValue } else { self.conversation = newValue }
        }
    }

    /// Shows its frames from now on.
    func begin(_ tail: Tail) {
        guard let conversation = self.conversation else { return }
        let tailed = self.tailed ?? TailedConversation(conversation, self)
        tailed.begin(tail)
        self.conversation = tailed
    }

    /// Does not show its frames any more.
    func end(_ tail: Tail) {
        guard let tailed = self.tailed else { return }
        tailed.end(tail)
        if tailed.isUnwatched { self.conversation = tailed.inner }
    }

    /// The conversation has begun: tails of the route see it from its first frame on.
    func beginTailsOfRoute() {
        for tail in self.context.routeTails where tail.selection == self.route.map({ .route($0.settings.name) }) {
            self.begin(tail)
        }
    }
}
