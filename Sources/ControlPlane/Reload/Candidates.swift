internal import Configuration
internal import DataPlane
internal import System
internal import TLS

/// Reads configurations and tries them, without blocking the control thread. Each read of files may take `FileReader.limit`, and look-ups
/// `NameRefresh.listenerWait`; long computations run on another thread.
final class Candidates {
    /// Why a configuration cannot be used: one line for each mistake.
    struct Mistakes: Error {
        let lines: [String]
    }

    private let files: FileReader
    private let names: NameRefresh
    private let sideWork: SideWork
    private let serving: Serving
    private let drainer: Drainer

    init(_ files: FileReader, _ names: NameRefresh, _ sideWork: SideWork, _ serving: Serving, _ drainer: Drainer) {
        self.files = files
        self.names = names
        self.sideWork = sideWork
        self.serving = serving
        self.drainer = drainer
    }

    /// Reads the configuration again.
    func read(_ source: ConfigurationSource, then: @escaping (Result<Serving.Candidate, Mistakes>) -> Void) {
        if let refusal = source.refusal { return then(.failure(Mistakes(lines: [refusal]))) }
        self.files.read([source.path]) { [unowned self] files in
            func refuse(_ errors: ConfigurationReader.Failure) {
                then(.failure(Mistakes(lines: errors.diagnostics.map(\.description))))
            }
            let bytes: [UInt8]
            do throws(ConfigurationReader.Failure) { bytes = try source.bytes(in: files) } catch {
                return refuse(error)
            }
            self.sideWork.make {
                Result { () throws(ConfigurationReader.Failure) in try source.configuration(of: bytes) }
            } then: { [unowned self] result in
                switch result {
                case .success(let settings):
                    self.make(settings, ConfigurationText(bytes: bytes, path: source.path)) {
                        then($0.mapError { Mistakes(lines: ["\($0)"]) })
                    }
                case .failure(let errors): refuse(errors)
                }
            }
        }
    }

    /// Reads the files of the configuration in force again.
    func renew(then: @escaping (Result<Serving.Candidate, StartError>) -> Void) {
        let same = self.serving.configuration
        self.make(same.settings, nil, readsCredentials: false, then: then) { files throws(StartError) in
            try ActiveConfiguration(same, files: files)
        }
    }

    private func make(
        _ settings: GatewayConfiguration, _ source: ConfigurationText,
        then: @escaping (Result<Serving.Candidate, StartError>) -> Void
    ) {
        let previous = self.serving.configuration
        var (settings, source) = (settings, source)
        source.awaitingStart = self.serving.awaitingStart(in: settings)
        // The admin address stays as it is, and so do the files that it needs.
        settings.admin = self.serving.startedWith.admin
        self.make(settings, source, readsCredentials: true, then: then) { [settings] files throws(StartError) in
            try ActiveConfiguration(settings, files: files, replacing: previous)
        }
    }

    /// Finds what `settings` refer to, and tries all of it.
    ///
    /// - Parameters:
    ///   - source: `nil`: it is the configuration in force.
    ///   - readsCredentials: the files with keys and users, too: `CredentialWatch` renews those.
    private func make(
        _ settings: GatewayConfiguration, _ source: ConfigurationText?, readsCredentials: Bool,
        then: @escaping (Result<Serving.Candidate, StartError>) -> Void,
        _ make: @escaping @Sendable (FileSet) throws(StartError) -> ActiveConfiguration
    ) {
        Findings.find(
            settings, self.serving.listeners, self.files, self.names, readsCredentials: readsCredentials
        ) { [unowned self] findings in
            self.sideWork.make {
                Result { () throws(StartError) -> (ActiveConfiguration, CredentialFiles?) in
                    let credentials =
                        try readsCredentials ? CredentialFiles(settings, findings.credentials) : nil
                    return (try Self.tried(try make(findings.files)), credentials)
                }
            } then: { [unowned self] made in
                guard self.drainer.isServing else { return then(.failure(StartError("the gateway is draining"))) }
                then(
                    Result { () throws(StartError) -> Serving.Candidate in
                        let (configuration, credentials) = try made.get()
                        return try self.candidate(configuration, credentials, findings, source)
                    })
            }
        }
    }

    /// Checks that a worker can use the configuration: libssl may reject a certificate that was read without errors.
    private static func tried(_ configuration: ActiveConfiguration) throws(StartError) -> ActiveConfiguration {
        do throws(TLSError) {
            _ = try WorkerConfiguration(configuration, io: TLSIO())
        } catch {
            throw StartError("\(error)")
        }
        return configuration
    }

    private func candidate(
        _ configuration: ActiveConfiguration, _ credentials: CredentialFiles?, _ findings: Findings,
        _ source: ConfigurationText?
    ) throws(StartError) -> Serving.Candidate {
        let adminTLS = try self.serving.adminTLS(of: findings.files)
        let change = try self.serving.listeners.prepare(configuration.settings.listeners, findings)
        do {
            let io = TLSIO()
            if let adminTLS { _ = try TLSServerContext(adminTLS, io: io, tickets: self.serving.adminTickets) }
            for listener in change.listeners { _ = try Listener(listener, io: io) }
        } catch {
            change.close()
            throw StartError("\(error)")
        }
        return Serving.Candidate(
            configuration: configuration, listeners: change, watched: Serving.WatchedFiles(findings.files),
            credentials: credentials, adminTLS: adminTLS, source: source)
    }
}
