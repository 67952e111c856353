/// The health of all endpoints of one backend.
///
/// Failed sessions alone never take the last endpoint out. It may be faulty, but a client sent there is better off than a
/// client that is refused (Envoy bounds ejections for the same reason). Active checks and operators can take it out.
public struct BackendHealth: Sendable {
    /// In the order of the configuration.
    public private(set) var endpoints: [EndpointHealth]
    /// When to call `timePassed` next.
    public private(set) var deadline: Duration?
    /// How many are up on their own.
    private var upCount = 0
    /// The one that is kept up because none is up on its own.
    private var spared: Int?
    /// `spared` is right. It is not at first: after a reload known endpoints meet new ones.
    private var isSettled = false

    /// - Parameter endpoints: those that were there before a reload keep their state.
    public init(_ endpoints: [EndpointHealth]) {
        self.endpoints = endpoints
        self.spared = endpoints.firstIndex(where: \.isSpared)
        self.count()
    }

    /// Applies `input` to the endpoint at `index`.
    ///
    /// - Returns: the changes by index: of that endpoint, and of one that must be spared now, or need not be any more.
    public mutating func update(
        _ index: Int, _ input: (inout EndpointHealth) -> EndpointHealth.Change?
    ) -> [Int: EndpointHealth.Change] {
        let before = self.endpoints[index]
        _ = input(&self.endpoints[index])
        let after = self.endpoints[index]
        // Most inputs change nothing. Then the other endpoints are not looked at.
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

    /// Ends the ejections that are over. To be called at `deadline`, or later.
    ///
    /// - Returns: the changes by index.
    public mutating func timePassed(to now: Duration) -> [Int: EndpointHealth.Change] {
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

    /// One endpoint's deadline has changed.
    private mutating func move(_ before: Duration?, to after: Duration?) {
        if let after, after <= self.deadline ?? after {
            self.deadline = after
        } else if before == self.deadline {
            self.deadline = self.endpoints.compactMap(\.deadline).min()
        }
    }

    /// If none is up on its own, keep one: the one that was up, else the one with the ejection that ends first.
    private func endpointToSpare(_ before: [EndpointHealth.State]) -> Int? {
        let candidates = self.endpoints.indices.filter { self.endpoints[$0].isOutForSessionsOnly }
        guard !self.endpoints.contains(where: \.isUpByItself) else { return nil }
        return candidates.first { before[$0] == .up }
            ?? candidates.min { self.endpoints[$0].deadline ?? .zero < self.endpoints[$1].deadline ?? .zero }
    }
}
