/// The health of the endpoints of one backend together.
///
/// Sessions alone never take out the last endpoint that is left: a client that is sent to an endpoint which may be ill is better off than
/// one that is turned away (Envoy bounds ejections for the same reason). Active checks and operators may.
package struct BackendHealth: Sendable {
    package private(set) var endpoints: [EndpointHealth]

    /// Those of before a reload keep what they know.
    package init(_ endpoints: [EndpointHealth]) {
        self.endpoints = endpoints
    }

    /// When `timePassed` has to be called next.
    package var deadline: Duration? { self.endpoints.compactMap(\.deadline).min() }

    /// Tells one endpoint's health something.
    ///
    /// - Returns: what changed: at that endpoint, and at one that is the last one left thereby, or is not any more.
    package mutating func update(
        _ index: Int, _ input: (inout EndpointHealth) -> EndpointHealth.Change?
    ) -> [Int: EndpointHealth.Change] {
        self.changing { _ = input(&$0[index]) }
    }

    package mutating func timePassed(to now: Duration) -> [Int: EndpointHealth.Change] {
        self.changing { endpoints in
            for index in endpoints.indices { endpoints[index].timePassed(to: now) }
        }
    }

    private mutating func changing(_ body: (inout [EndpointHealth]) -> Void) -> [Int: EndpointHealth.Change] {
        let before = self.endpoints.map(\.state)
        body(&self.endpoints)
        self.spareTheLast(before)
        var changes: [Int: EndpointHealth.Change] = [:]
        for (index, endpoint) in self.endpoints.enumerated() where endpoint.state != before[index] {
            changes[index] = EndpointHealth.Change(
                from: before[index], to: endpoint.state, reason: endpoint.reason ?? "")
        }
        return changes
    }

    private mutating func spareTheLast(_ before: [EndpointHealth.State]) {
        let chosen = self.endpointToSpare(before)
        for index in self.endpoints.indices where self.endpoints[index].isSpared != (index == chosen) {
            self.endpoints[index].spare(index == chosen)
        }
    }

    /// Where nobody is up by their own right: who was up until now, else who would be up next.
    private func endpointToSpare(_ before: [EndpointHealth.State]) -> Int? {
        let candidates = self.endpoints.indices.filter { self.endpoints[$0].isOutForSessionsOnly }
        let isAnyUp = self.endpoints.indices.contains { self.endpoints[$0].state == .up && !candidates.contains($0) }
        guard !isAnyUp else { return nil }
        return candidates.first { before[$0] == .up }
            ?? candidates.min { self.endpoints[$0].deadline ?? .zero < self.endpoints[$1].deadline ?? .zero }
    }
}
