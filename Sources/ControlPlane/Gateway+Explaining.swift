public import Admission
internal import Configuration
internal import DataPlane
internal import Observability
internal import System

/// What the gateway says of itself.
extension Gateway {
    /// A request about which `POST /api/explain` asks.
    public struct ExplainedRequest: Equatable, Sendable {
        /// `ws://`, `wss://`, `http://` or `https://`.
        public var url: String
        /// The method of a plain request.
        public var method = "GET"
        /// The Origin that a browser would send; `nil`: none.
        public var origin: String?
        /// Those offered, best first.
        public var subprotocols: [String] = []
        /// The value of the field Authorization; `nil`: none.
        public var authorization: String?
        /// The other end of its connection.
        public var peer = Explanation.Peer.anyone

        /// A request for a URL.
        public init(url: String) { self.url = url }
    }

    /// Explains what would become of a request, with the endpoints as they are now. Passwords are not verified.
    ///
    /// - Parameter answer: gets a function that makes the explanation, on any thread.
    public func explain(
        _ request: ExplainedRequest, answer: @escaping (@escaping @Sendable () -> Explanation) -> Void
    ) {
        let configuration = self.serving.configuration
        let files = self.keys.completed(self.serving.credentials.contents)
        let refusals = self.lastRefusals
        let settings = self.settingsWithPorts
        self.health.report { reports in
            answer {
                var known = Explanation.Surroundings()
                known.files = files
                known.verifiesPasswords = false
                let now = WallClock.sinceEpoch()
                known.now = now.components.seconds
                known.address = { token, backend, _ in
                    configuration.backend(named: backend)?.tokens?.current?.endpoint(for: token)?.address
                }
                known.endpoints = { name in
                    let report = reports.first { $0.backend.name == name }
                    return report?.endpoints.map {
                        Explanation.Endpoint(
                            name: $0.name, state: $0.state, reason: $0.reason, isChecked: $0.isChecked,
                            isOrdered: $0.order != "up")
                    } ?? []
                }
                known.lastRefusal = { Self.lastFailure(of: $0, in: refusals, now: now) }
                let more = request.authorization.map { [(name: "Authorization", value: $0)] } ?? []
                return Explanation.explain(
                    settings, url: request.url, method: request.method, origin: request.origin,
                    subprotocols: request.subprotocols, more: more, from: request.peer, by: known)
            }
        }
    }

    /// The configuration in force, with the ports that the system chose where it has 0.
    private var settingsWithPorts: GatewayConfiguration {
        var settings = self.serving.configuration.settings
        settings.listeners = self.serving.listeners.listeners.map { listener in
            var settings = listener.settings
            if case .tcp(let host, 0) = settings.address, let port = listener.address.port {
                settings.address = .tcp(host: host, port: port)
            }
            return settings
        }
        return settings
    }

    /// How long a failed backend is remembered for `explain`.
    private static let failureIsLate = Duration.seconds(15 * 60)

    /// What a client of a route got last because the backend could not be reached or did not answer.
    ///
    /// - Parameter now: since 1970-01-01 00:00 UTC.
    private static func lastFailure(
        of route: String, in refusals: [RefusedRequest], now: Duration
    ) -> Explanation.LastRefusal? {
        for refusal in refusals where refusal.route == route && now - refusal.at < self.failureIsLate {
            guard let status = refusal.status, status == 502 || status == 504 else { continue }
            return .init(at: WallClock.rfc3339(refusal.at), status: status, reason: refusal.reason)
        }
        return nil
    }

    /// What the configuration in force was read from.
    public var configurationText: ConfigurationText { self.serving.source }

    /// The certificates that clients are shown.
    public var shownCertificates: [CertificateRow] { self.serving.certificates }
}
