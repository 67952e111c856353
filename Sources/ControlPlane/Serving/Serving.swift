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
    /// What the configuration was read from.
    private(set) var source: ConfigurationText
    private(set) var listeners: ListenerSet
    /// The files that the configuration in force was made with.
    private(set) var watched: WatchedFiles
    /// What credentials are verified with.
    private(set) var credentials: CredentialFiles
    /// TLS at the admin address; `nil`: it has none.
    private(set) var adminTLS: TLSServerSettings?
    /// The keys of its tickets.
    let adminTickets = TicketKeys()
    private let isLent: (SocketAddress) -> Bool

    /// Opens every listener.
    ///
    /// - Parameters:
    ///   - source: where the configuration came from.
    ///   - findings: what the configuration refers to.
    ///   - sockets: those that are open already.
    /// - Throws: one line that says what failed.
    init(
        _ configuration: ActiveConfiguration, read source: ConfigurationText, _ listeners: ListenerSet,
        _ findings: Findings,
        from sockets: SocketSource
    ) throws(StartError) {
        self.source = source
        self.credentials = try CredentialFiles(configuration.settings, findings.credentials)
        self.adminTLS = try configuration.settings.admin.flatMap { admin throws(StartError) in
            try CertificateFiles.server(admin, findings.files)
        }
        self.startedWith = configuration.settings
        self.configuration = configuration
        self.watched = WatchedFiles(findings.files)
        self.isLent = sockets.isLent
        self.listeners = listeners
        let change = try listeners.prepare(configuration.settings.listeners, findings, from: sockets)
        if let failure = self.listeners.commit(change).first { throw failure }
    }

    /// Puts another configuration in force.
    ///
    /// - Returns: what failed. The rest is in force.
    func put(_ candidate: Candidate) -> [StartError] {
        self.configuration = candidate.configuration
        self.watched = candidate.watched
        if let credentials = candidate.credentials { self.credentials = credentials }
        self.adminTLS = candidate.adminTLS
        if let source = candidate.source { self.source = source }
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
        self.adminTickets.rotate()
    }

    /// TLS at the admin address with the certificates of these files. That made at start stays.
    func adminTLS(of files: FileSet) throws(StartError) -> TLSServerSettings? {
        guard let admin = self.startedWith.admin, case .files? = admin.tls?.identity else { return self.adminTLS }
        return try CertificateFiles.server(admin, files)
    }

    /// The keys of another configuration that take effect only when the gateway starts again.
    func awaitingStart(in next: GatewayConfiguration) -> [String] {
        let started = self.startedWith
        let fixed = [
            ("workers", next.workers != started.workers), ("log", next.log != started.log),
            ("admin", next.admin != started.admin),
        ]
        return fixed.filter(\.1).map(\.0)
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
        let adminTLS: TLSServerSettings?
        /// `nil`: that in force stays.
        let source: ConfigurationText?
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
