internal import ControlPlane
internal import Observability
internal import Sessions
internal import System

/// What `/api/closes`, `/api/refusals`, `/api/history` and `/api/events` say.
extension AdminResponse {
    static func closes(_ closes: [ClosedSession]) -> AdminResponse {
        .json { $0.array("closes", closes) { $0.close($1) } }
    }

    static func refusals(_ refusals: [RefusedRequest]) -> AdminResponse {
        .json { $0.array("refusals", refusals) { $0.refusal($1) } }
    }

    static func history(_ points: [ActivityPoint]) -> AdminResponse {
        .json {
            $0.member("step_seconds", Gateway.activityStep.components.seconds)
            $0.array("points", points) { $0.point($1) }
        }
    }
}

extension JSONText {
    /// What happened in the last second.
    static func summary(_ point: ActivityPoint) -> [UInt8] {
        var text = JSONText()
        text.object {
            $0.member("event", "summary")
            $0.point(point)
        }
        return text.bytes
    }

    /// So many messages were left out.
    static func skipped(_ count: Int) -> [UInt8] {
        var text = JSONText()
        text.object {
            $0.member("event", "skipped")
            $0.member("count", count)
        }
        return text.bytes
    }

    fileprivate mutating func close(_ close: ClosedSession) {
        self.member("at", WallClock.rfc3339(close.at))
        self.member("session", close.session.description)
        self.member("route", close.route)
        self.member("backend", close.backend)
        self.member("endpoint", close.endpoint)
        self.member("client", close.client)
        self.member("cause", close.cause.rawValue)
        // A word as in the log: there may be none.
        self.member("code", close.code.map { "\($0)" } ?? "none")
        self.member("by", close.by)
        self.member("reason", close.reason)
        self.member("detail", close.detail)
        self.member("duration", close.duration)
    }

    fileprivate mutating func refusal(_ refusal: RefusedRequest) {
        self.member("at", WallClock.rfc3339(refusal.at))
        self.member("client", refusal.client)
        self.member("host", refusal.host)
        self.member("path", refusal.path)
        self.member("route", refusal.route)
        self.member("origin", refusal.origin)
        if let status = refusal.status { self.member("status", status) } else { self.member("status", nil as String?) }
        self.member("reason", refusal.reason)
    }

    fileprivate mutating func point(_ point: ActivityPoint) {
        let counts = point.counts
        self.member("at", WallClock.rfc3339(point.at))
        self.member("sessions", counts.sessions)
        self.member("opens", counts.opens)
        self.counts("closes", counts.closes.map { ($0.key.rawValue, $0.value) })
        self.counts("refusals", counts.refusals.map { (String($0.key), $0.value) })
        self.member("messages", counts.messages)
        self.member("bytes", counts.bytes)
    }

    private mutating func counts(_ key: String, _ counts: [(name: String, count: UInt64)]) {
        self.object(key) { json in
            for (name, count) in counts.sorted(by: { $0.name < $1.name }) { json.member(name, count) }
        }
    }
}
