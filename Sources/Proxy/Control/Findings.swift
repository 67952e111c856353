internal import Configuration
internal import System

/// What a configuration refers to, as it was found: the files that it names, the addresses of its listeners' names, and their
/// groups. Found before it is
/// put in force, because finding can take as long as a file system or a name server likes.
struct Findings {
    var files = FileSet()
    /// Of the listeners that have to be opened and are named by host.
    var addresses: [Address: Result<[SocketAddress], ResolveError>] = [:]
    /// Of the groups that listeners name: their numbers; `nil`: there is no such group.
    var groups: [String: Result<UInt32?, FileError>] = [:]
}
