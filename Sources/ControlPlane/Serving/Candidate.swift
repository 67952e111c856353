internal import DataPlane

/// A configuration that was tried and can be put in force. Its listeners are open.
struct Candidate {
    let configuration: ActiveConfiguration
    let listeners: ListenerSet.Change
    let watched: WatchedFiles
}
