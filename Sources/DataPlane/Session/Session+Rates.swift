internal import Configuration
internal import Sessions
internal import System

/// `limits.messages-per-second` and `limits.bytes-per-second` of the session's route.
extension Session {
    /// How long until it is tried again to hold a client back of which something waits already.
    private static let patience = Duration.milliseconds(100)

    /// Follows the rates that the route has now. What waits goes on as far as they allow.
    ///
    /// Only a session with rates has a `RatedConversation`, so that all others pay nothing for them.
    func followRates() {
        guard self.isOpen, let limits = self.route?.settings.limits, let conversation = self.plainConversation else {
            return
        }
        if let rated = conversation as? RatedConversation {
            rated.follow(limits)
            self.resume(.client)
            if self.isOpen, !limits.hasRates, let inner = rated.unwrapped { self.plainConversation = inner }
        } else if limits.hasRates, let client = self.client {
            if let place = conversation.takePlace() {
                self.plainConversation = RatedConversation(conversation, self, client, limits, at: place)
            } else {
                self.setRelease(at: self.loop.now + Self.patience)
            }
        }
    }
}
