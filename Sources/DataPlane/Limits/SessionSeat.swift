internal import Configuration

/// Where a session counts: in the gateway, its listener and its route. It remembers what for, because a reload may change which addresses are counted.
struct SessionSeat {
    /// `nil` if it counts for no address.
    let address: IPNetwork?
    let gateway: LimitScope
    let listener: LimitScope
    let route: LimitScope

    /// The session is over.
    func leave() {
        self.leave(before: .route)
        self.route.end(self.address)
    }

    /// There is no place for it in `owner`: it counts no more in those that were asked before.
    func leave(before owner: ReachedLimit.Owner) {
        if owner == .route { self.listener.end(self.address) }
        if owner != .gateway { self.gateway.end(self.address) }
    }
}
