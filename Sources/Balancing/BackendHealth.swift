/// The health of the endpoints of one backend together.
///
/// Sessions alone never take out the last endpoint that is left: a client that is sent to an endpoint which may be ill is better off than
/// one that is turned away (Envoy bounds ejections for the same reason). Active checks and operators may.
package struct BackendHealth: Sendable {
    package private(set) var endpoints: [EndpointHealth]
    /// When `timePassed` has to be called next.
    package private(set) var deadline: Duration?
    /// How many are up by their own right.
    private var upCount = 0
    /// The one that is up because none is by its own right.
    private var spared: Int?
    /// Nobody has to be spared, or not to be any more. Endpoints of before a reload are new to each other.
    private var isSettled = false

    /// Those of before a reload keep what they know.
    package init(_ endpoints: [EndpointHealth]) {
        self.endpoints = endpoints
        self.spared = endpoints.firstIndex(where: \.isSpared)
        self.count()
    }

    /// Tells one endpoint's health something.
    ///
    /// - Returns: what changed: at that endpoint, and at one that is the last one left thereby, or is not any more.
    package mutating func update(
        _ index: Int, _ input: (inout EndpointHealth) -> EndpointHealth.Change?
    ) -> [Int: EndpointHealth.Change] {
        let before = self.endpoints[index]
        _ = input(&self.endpoints[index])
        let after = self.endpoints[index]
        // Most of what is heard concerns one endpoint of many, and changes nothing: the others are not looked at.
        let isSame =
            before.state == after.state && before.isUpByItself == after.isUpByItself
            && before.isOutForSessionsOnly == after.isOutForSessionsOnly && before.deadline == after.deadline
        if self.isSettled, isSame { return [:] }
        let othersAreUp = self.upCount > (before.isUpByItself ? 1 : 0)
        guard self.isSettled, othersAreUp, self.spared == nil else {
            self.endpoints[index] = before
            return self.changing { $0[index] = after }
        }
        self.upCount += (after.isUpByItself ? 1 : 0) - (before.isUpByItself ? 1 : 0)
        if before.deadline != after.deadline { self.move(before.deadline, to: after.deadline) }
        guard before.state != after.state else { return [:] }
        return [index: .init(from: before.state, to: after.state, reason: after.reason ?? "")]
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
        self.count()
        self.isSettled = true
        var changes: [Int: EndpointHealth.Change] = [:]
        for (index, endpoint) in self.endpoints.enumerated() where endpoint.state != before[index] {
            changes[index] = EndpointHealth.Change(
                from: before[index], to: endpoint.state, reason: endpoint.reason ?? "")
        }
        return changes
    }

    private mutating func spareTheLast(_ before: [EndpointHealth.State]) {
        let chosen = self.endpointToSpare(before)
        self.spared = chosen
        for index in self.endpoints.indices where self.endpoints[index].isSpared != (index == chosen) {
            self.endpoints[index].spare(index == chosen)
        }
    }

    private mutating func count() {
        self.upCount = self.endpoints.count(where: \.isUpByItself)
        self.deadline = self.endpoints.compactMap(\.deadline).min()
    }

    /// The deadline of one endpoint is another.
    private mutating func move(_ before: Duration?, to after: Duration?) {
        if let after, after <= self.deadline ?? after {
            self.deadline = after
        } else if before == self.deadline {
            self.deadline = self.endpoints.compactMap(\.deadline).min()
        }
    }

    /// Where nobody is up by their own right: who was up until now, else who would be up next.
    private func endpointToSpare(_ before: [EndpointHealth.State]) -> Int? {
        let candidates = self.endpoints.indices.filter { self.endpoints[$0].isOutForSessionsOnly }
        guard !self.endpoints.contains(where: \.isUpByItself) else { return nil }
        return candidates.first { before[$0] == .up }
            ?? candidates.min { self.endpoints[$0].deadline ?? .zero < self.endpoints[$1].deadline ?? .zero }
    }
}
