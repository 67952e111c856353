internal import Configuration
internal import DataPlane
internal import System
internal import TLS
internal import Takeover

/// What the gateway serves: the configuration in force and its listeners. On the control thread.
final class Serving {
    /// The configuration at start. Some keys of it stay in force until the process ends.
    let startedWith: GatewayConfiguration
    private(set) var configuration: ActiveConfiguration
    private(set) var listeners: ListenerSet
    /// The files that the configuration in force was made with.
    private(set) var watched: WatchedFiles
    /// What credentials are verified with.
    private(set) var credentials: CredentialFiles
    private let isLent: (SocketAddress) -> Bool

    /// Opens every listener.
    ///
    /// - Parameters:
    ///   - findings: what the configuration refers to.
    /// - source: sockets that are open already.
    /// - Throws: one line that says what failed.
    init(
        _ configuration: ActiveConfiguration, _ listeners: ListenerSet, _ findings: Findings, from source: SocketSource
    ) throws(StartError) {
        self.credentials = try CredentialFiles(configuration.settings, findings.credentials)
        self.startedWith = configuration.settings
        self.configuration = configuration
        self.watched = WatchedFiles(findings.files)
        self.isLent = source.isLent
        self.listeners = listeners
        let change = try listeners.prepare(configuration.settings.listeners, findings, from: source)
        if let failure = self.listeners.commit(change).first { throw failure }
    }

    /// Puts another configuration in force.
    ///
    /// - Returns: what failed. The rest is in force.
    func put(_ candidate: Candidate) -> [StartError] {
        self.configuration = candidate.configuration
        self.watched = candidate.watched
        if let credentials = candidate.credentials { self.credentials = credentials }
        return self.listeners.commit(candidate.listeners)
    }

    /// Other keys and users are in force.
    func put(_ credentials: CredentialFiles) { self.credentials = credentials }

    /// The URLs of all listeners, separated by spaces.
    var urls: String { self.listeners.listeners.map(\.url).joined(separator: " ") }

    /// One line for `systemctl status`.
    var status: String { "serving on \(self.urls)" }

    func rotateTicketKeys() {
        for listener in self.listeners.listeners { listener.tls?.tickets.rotate() }
    }

    /// Removes the file of a Unix socket, unless the service manager owns it.
    func removeFile(of listener: ListenerBlueprint) {
        if !self.isLent(listener.configured) { Kernel.removeSocketFile(listener.address) }
    }
}

extension Serving {
    /// A configuration that was tried and can be put in force. Its listeners are open.
    struct Candidate {
        let configuration: ActiveConfiguration
        let listeners: ListenerSet.Change
        let watched: WatchedFiles
        /// `nil`: those in force stay.
        let credentials: CredentialFiles?
    }

    /// The files that a configuration names, as they were when they were read.
    ///
    /// They are compared from time to time instead of watched: a certificate may be replaced by a rename, written in place, or be behind a
    /// symbolic link to a directory that moves. A comparison notices all of these.
    struct WatchedFiles {
        private var stamps: [String: FileStamp?]

        init(_ files: FileSet) { self.stamps = files.stamps }

        /// The paths, sorted.
        var paths: [String] { self.stamps.keys.sorted() }

        /// Whether a file has changed since it was read.
        func differ(from stamps: [String: FileStamp?]) -> Bool { stamps != self.stamps }
    }
}
