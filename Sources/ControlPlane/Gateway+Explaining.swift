public import Admission
internal import DataPlane
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
        self.health.report { reports in
            answer {
                var known = Explanation.Surroundings()
                known.files = files
                known.verifiesPasswords = false
                known.now = WallClock.sinceEpoch().components.seconds
                known.address = { token, backend, _ in
                    configuration.backend(named: backend)?.tokens?.current?.endpoint(for: token)?.address
                }
                known.endpoints = { name in
                    let report = reports.first { $0.backend.name == name }
                    return report?.endpoints.map { Explanation.Endpoint(name: $0.name, state: $0.state) } ?? []
                }
                let more = request.authorization.map { [(name: "Authorization", value: $0)] } ?? []
                return Explanation.explain(
                    configuration.settings, url: request.url, method: request.method, origin: request.origin,
                    subprotocols: request.subprotocols, more: more, from: request.peer, by: known)
            }
        }
    }

    /// What the configuration in force was read from.
    public var configurationText: ConfigurationText { self.serving.source }

    /// The certificates that clients are shown.
    public var shownCertificates: [CertificateRow] { self.serving.certificates }
}
