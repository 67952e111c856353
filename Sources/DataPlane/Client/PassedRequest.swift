internal import Admission
internal import Sessions
internal import System

/// One request on its way to a backend, and its answer on the way back: what `HTTPRelay` knows of it besides the connections.
struct PassedRequest {
    let request: PlainRequest
    /// The configuration in force when its head was whole. It holds until the answer is whole.
    let configuration: WorkerConfiguration
    let route: Route
    let backend: Backend
    /// The endpoint that it asks for.
    let placement: Placement
    let began: MonotonicInstant
    var machine: ExchangeMachine
    /// Passes the request's body on.
    var body: BodyPassage
    /// Reads the heads of the answer.
    var heads: PassedAnswer
    /// The final head of the answer, once it came.
    var head: PassedHead?
    /// Passes the answer's body on.
    var answer: BodyPassage?
    /// The endpoints chosen so far, the present one last.
    var endpoints: [Endpoint] = []
    /// When the last piece of the request was passed on.
    var lastPiece: MonotonicInstant

    /// - Parameter client: the client's address, as text.
    init(
        _ request: PlainRequest, of client: String, to route: Route, of backend: Backend,
        _ configuration: WorkerConfiguration, began: MonotonicInstant, at now: MonotonicInstant
    ) {
        self.request = request
        self.configuration = configuration
        self.route = route
        self.backend = backend
        self.placement = request.placement(by: backend.placing, client: client)
        self.began = began
        self.lastPiece = now
        let body: ExchangeMachine.RequestBody =
            if !request.hasBody { .whole } else if request.expectsContinue { .held } else { .passing }
        self.machine = ExchangeMachine(requestBody: body, isRepeatable: request.isRepeatable)
        self.body = request.passage
        self.heads = PassedAnswer(to: request)
    }
}
