internal import Admission
internal import Observability
internal import Sessions
internal import System

/// One request on its way to a backend, and its answer on the way back: what `HTTPRelay` knows of it besides the connections.
final class PassedRequest {
    let request: PlainRequest
    /// The configuration in force when its head was whole. It holds until the answer is whole.
    let configuration: WorkerConfiguration
    let route: Route
    let backend: Backend
    /// Where it is counted.
    let counts: RouteRequests
    let began: MonotonicInstant
    /// Which endpoint it asks for.
    let placement: Placement
    var machine: ExchangeMachine
    /// Passes the request's body on.
    var body: BodyPassage
    /// Reads the heads of the answer.
    var heads: PassedAnswer
    /// The final head of the answer, once it came.
    var head: PassedHead?
    /// Passes the answer's body on.
    var answer: BodyPassage?
    /// The endpoint chosen last.
    private(set) var endpoint: Endpoint?
    /// Those chosen before.
    private(set) var failedEndpoints: [Endpoint] = []
    /// When the last piece of the request was passed on.
    var lastPiece: MonotonicInstant
    /// The kernel probes both peers.
    var isProbed = false
    /// Little is read at a time, because there are so many chunks in it that it would take long.
    var isFinelyChunked = false
    /// It asked for an upgrade. The connection to its backend gets no other request: what else it may lead to is not known.
    private(set) var isUpgrade = false

    /// - Parameter client: its address, as text.
    init(
        _ request: PlainRequest, to route: Route, of backend: Backend, _ configuration: WorkerConfiguration,
        counts: RouteRequests, client: @autoclosure () -> String, began: MonotonicInstant, at now: MonotonicInstant
    ) {
        self.request = request
        self.configuration = configuration
        self.route = route
        self.backend = backend
        self.counts = counts
        self.began = began
        self.placement = request.placement(by: backend.placing, client: client())
        self.lastPiece = now
        let body: ExchangeMachine.RequestBody =
            if !request.hasBody { .whole } else if request.expectsContinue { .held } else { .passing }
        self.machine = ExchangeMachine(requestBody: body, isRepeatable: request.isRepeatable)
        self.body = request.passage
        self.heads = PassedAnswer(to: request)
    }

    /// An upgrade that its backend refuses; the other parameters as above.
    convenience init(
        refused upgrade: Admitted, to route: Route, of backend: Backend, _ configuration: WorkerConfiguration,
        counts: RouteRequests, client: @autoclosure () -> String, began: MonotonicInstant, at now: MonotonicInstant
    ) {
        self.init(
            PlainRequest(upgrade), to: route, of: backend, configuration, counts: counts, client: client(),
            began: began, at: now)
        self.machine = .ofRefusedUpgrade
        self.isUpgrade = true
    }

    /// The endpoints chosen so far, the present one last.
    var endpoints: [Endpoint] { self.failedEndpoints + (self.endpoint.map { [$0] } ?? []) }

    /// It goes to `endpoint` now.
    func choose(_ endpoint: Endpoint) {
        if let failed = self.endpoint { self.failedEndpoints.append(failed) }
        self.endpoint = endpoint
    }
}
