/// Another configuration, as every worker gets it.
struct WorkerUpdate: Sendable {
    let snapshot: Snapshot
    /// All that there are from now on: a worker closes those that it has and that are not among them.
    let listeners: [ListenerBlueprint]
}
