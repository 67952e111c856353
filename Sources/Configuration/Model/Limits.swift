/// A number of bytes.
package struct ByteCount: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package var rawValue: Int

    package init(rawValue: Int) { self.rawValue = rawValue }

    package static func bytes(_ count: Int) -> Self { Self(rawValue: count) }
    package static func kibibytes(_ count: Int) -> Self { Self(rawValue: count << 10) }
    package static func mebibytes(_ count: Int) -> Self { Self(rawValue: count << 20) }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// As the file writes it: `64KiB`, or a plain number.
    package var description: String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        where self.rawValue > 0 && self.rawValue & (1 << shift - 1) == 0 {
            return "\(self.rawValue >> shift)\(unit)"
        }
        return String(self.rawValue)
    }
}

/// `limits:` of a route. All are inclusive; 0 is no limit, but for `queue`, which is always bounded.
package struct Limits: Equatable, Sendable {
    /// The largest message a client may send.
    package var message = ByteCount.mebibytes(1)
    /// The largest message a backend may send.
    package var backendMessage = ByteCount.mebibytes(16)
    /// The most frames a client's message may have.
    package var fragments = 1024
    /// The most frames a backend's message may have.
    package var backendFragments = 16384
    /// What is held for a leg that does not read before the other leg's reading pauses.
    package var queue = ByteCount.mebibytes(1)
    /// The most memory that compression may take for a session of a built-in service or a bridge: it decides on the windows,
    /// and on whether messages may refer to earlier ones.
    package var compression = ByteCount.kibibytes(64)

    package init() {}
}

/// `timeouts:` of a route.
package struct Timeouts: Equatable, Sendable {
    /// From accept to the 101, TLS and the backend's handshake included.
    package var handshake = Duration.seconds(10)
    /// For one TCP connection (and TLS handshake) to an endpoint.
    package var connect = Duration.seconds(5)
    /// For the peer's part of the closing handshake and the end of its TCP.
    package var close = Duration.seconds(5)
    /// Without a data message in either direction for so long, the session ends; `nil`: it may be quiet for ever.
    package var idle: Duration?
    /// The longest life of a session; `nil`: no limit.
    package var session: Duration?

    package init() {}
}

/// `heartbeat:` pings to a side that is silent.
package struct HeartbeatSettings: Equatable, Sendable {
    /// The silence after which a side is pinged.
    package var interval = Duration.seconds(25)
    /// How long that side may then remain silent before it counts as dead.
    package var timeout = Duration.seconds(10)

    package init() {}
}
