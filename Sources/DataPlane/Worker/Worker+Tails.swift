internal import Configuration
internal import Sessions

/// Tails of the worker's sessions.
extension Worker {
    /// Shows the frames of the tail's sessions from now on. Returns false if there is no session for it, and none can come.
    public func begin(_ tail: Tail) -> Bool {
        switch tail.selection {
        case .session(let id):
            guard let session = self.sessions.values.first(where: { $0.id == id }), session.isOpen else { return false }
            session.begin(tail)
        case .route(let name):
            self.context.routeTails.append(tail)
            for session in self.sessions.values where session.route?.settings.name == name { session.begin(tail) }
        }
        return true
    }

    /// The tail shows nothing more.
    public func end(_ tail: Tail) {
        self.context.routeTails.removeAll { $0 === tail }
        for session in self.sessions.values { session.end(tail) }
    }
}
