internal import DataPlane

/// A configuration that was tried, with its listeners open: it can be put in force.
struct Candidate {
    let configuration: ActiveConfiguration
    let listeners: ListenerSet.Change
    let watched: WatchedFiles
}
