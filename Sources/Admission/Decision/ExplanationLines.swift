/// What an explanation says: a title and lines of a word and its meaning, in two columns, and the facts in them.
struct ExplanationLines {
    /// Why the request would have no answer at all.
    var obstacle: String?
    /// The name of the request's route.
    var route: String?
    /// The address of the listener on the request's port.
    var listener: String?
    private(set) var endpoints: [Explanation.Endpoint] = []
    private var backend: String?
    private var text: String
    private var status: Int?
    private var reason: String?
    private var help: String?
    private var lastRefusal: Explanation.LastRefusal?

    init(title: String) { self.text = title + "\n" }

    /// All of it.
    func explanation(isServed: Bool) -> Explanation {
        Explanation(
            text: self.text, isServed: isServed, status: self.status, reason: self.reason, cure: self.help,
            route: self.route, backend: self.backend, endpoints: self.endpoints, listener: self.listener,
            lastRefusal: self.lastRefusal)
    }

    // MARK: - Lines

    mutating func add(_ limits: LimitsExplained) {
        for line in limits.unless { self.add("unless", line) }
        self.add("rates", limits.rates)
    }

    /// Adds nothing for an empty value.
    mutating func add(_ name: String, _ value: String) {
        guard !value.isEmpty else { return }
        self.text += "  \(name)\(String(repeating: " ", count: max(1, 13 - name.utf8.count)))\(value)\n"
    }

    /// Adds an endpoint, with its state if that is known.
    mutating func add(endpoint name: String, _ more: String) {
        self.add("endpoint", name + more + (self.endpoints.first { $0.name == name }.map(Self.state) ?? ""))
    }

    private static func state(_ endpoint: Explanation.Endpoint) -> String {
        guard endpoint.state == "up" else {
            return ", \(endpoint.state)\(endpoint.reason.map { ": \($0)" } ?? "")"
        }
        return endpoint.isChecked ? ", up" : ", not checked"
    }

    // MARK: - Facts

    /// - Parameter endpoints: those of which the state is known.
    mutating func goes(to backend: String, _ endpoints: [Explanation.Endpoint]) {
        self.backend = backend
        self.endpoints = endpoints
    }

    /// - Parameter status: `nil`: a backend or a file decides it.
    mutating func answer(_ answer: String, status: Int?) {
        if let obstacle = self.obstacle {
            self.reason = obstacle
            self.add("answer", "none: \(obstacle)")
        } else {
            self.status = status
            self.add("answer", answer)
        }
    }

    mutating func refused(_ refusal: Refusal, cure: String = "") {
        self.answer("\(refusal.status) \(refusal.answer.reason): \(refusal.detail)", status: refusal.status)
        guard self.obstacle == nil else { return }
        self.reason = refusal.detail
        self.cure(cure)
    }

    /// - Parameter last: `nil`: nothing is added.
    mutating func refusedLast(_ last: Explanation.LastRefusal?) {
        guard let last else { return }
        self.lastRefusal = last
        self.add("lately", "a client that was let in got \(last.status) at \(last.at): \(last.reason)")
    }

    mutating func cure(_ cure: String) {
        guard self.obstacle == nil, !cure.isEmpty else { return }
        self.help = cure
        self.add("cure", cure)
    }
}
