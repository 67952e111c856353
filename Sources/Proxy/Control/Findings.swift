internal import Configuration
internal import EventLoop

/// What a configuration refers to, as it was found: the files that it names, and the addresses of its listeners' names. Found before it is
/// put in force, because finding can take as long as a file system or a name server likes.
struct Findings {
    var files = FileSet()
    /// Of the listeners that have to be opened and are named by host.
    var addresses: [Address: Result<[SocketAddress], ResolveError>] = [:]
}
