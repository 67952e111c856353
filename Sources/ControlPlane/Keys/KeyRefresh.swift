internal import Configuration
internal import Connections
internal import Credentials
internal import DataPlane
internal import Observability
internal import System
internal import TLS

/// Keeps the keys of all URLs up to date, on the control thread. No worker waits for them: until they are there, tokens cannot be verified.
final class KeyRefresh {
    /// The most that one read takes, in bytes.
    static let readSize = 32 << 10
    /// How long a start, or a reload with another URL, waits for keys: what comes before them is answered 503.
    private static let firstWait = Duration.seconds(3)

    private let names: NameRefresh
    private let sideWork: SideWork
    private let connections: ConnectionContext
    private let log: Log
    private var sets: [KeySource: FetchedKeys] = [:]
    /// How many fetches there were.
    private(set) var counted = MetricsSnapshot.Fetches()
    /// Called when other keys are to be put in force.
    var whenChanged: () -> Void = {}

    init(_ names: NameRefresh, _ sideWork: SideWork, _ loop: EventLoop, _ log: Log) {
        self.names = names
        self.sideWork = sideWork
        self.connections = ConnectionContext(loop, readSize: Self.readSize)
        self.log = log
    }

    /// Fetches keys and waits for that, but no longer than `firstWait`.
    func start(_ configuration: GatewayConfiguration, _ files: CredentialFiles) {
        var isWaiting = true
        self.prepare(configuration, files) { isWaiting = false }
        while isWaiting { self.connections.loop.turn() }
        self.use(configuration, files)
    }

    /// Fetches the keys of a configuration that will be put in force, unless their URLs are known.
    ///
    /// - Parameter then: called when they are there or cannot be fetched, or after `firstWait`.
    func prepare(_ configuration: GatewayConfiguration, _ files: CredentialFiles, then: @escaping () -> Void) {
        let new = self.add(configuration, files)
        guard !new.isEmpty else { return then() }
        var missing = new.count
        var limit: ControlTimer?
        func goOn() {
            guard let timer = limit else { return }
            timer.cancel()
            limit = nil
            then()
        }
        limit = ControlTimer(self.connections.loop, once: Self.firstWait) { goOn() }
        for keys in new {
            keys.begin {
                missing -= 1
                if missing == 0 { goOn() }
            }
        }
    }

    /// Keeps the keys of this configuration up to date from now on, and no others.
    func use(_ configuration: GatewayConfiguration, _ files: CredentialFiles) {
        self.add(configuration, files)
        let sources = Set(configuration.fetchedKeys.map(\.source))
        for (source, keys) in self.sets {
            if sources.contains(source) {
                keys.use(source.authorities(in: files))
            } else {
                keys.stop()
                self.sets[source] = nil
            }
        }
    }

    /// - Returns: those that were not known.
    @discardableResult
    private func add(_ configuration: GatewayConfiguration, _ files: CredentialFiles) -> [FetchedKeys] {
        let means = FetchedKeys.Means(
            names: self.names, sideWork: self.sideWork, connections: self.connections, log: self.log,
            changed: { [unowned self] in self.whenChanged() },
            fetched: { [unowned self] hasFailed in
                if hasFailed { self.counted.failed += 1 } else { self.counted.succeeded += 1 }
            })
        var new: [FetchedKeys] = []
        for (source, url) in configuration.fetchedKeys where self.sets[source] == nil {
            let keys = FetchedKeys(url, source.authorities(in: files), means)
            self.sets[source] = keys
            new.append(keys)
        }
        return new
    }

    /// What is in files, with the keys that were fetched.
    func completed(_ contents: KeysAndUsers) -> KeysAndUsers {
        var contents = contents
        for (source, keys) in self.sets { contents.keys[source] = keys.keys }
        return contents
    }

    /// A token names a key that is not among those of its URL.
    func doubted(_ source: KeySource) { self.sets[source]?.doubted() }

    /// Fetches no more.
    func stop() {
        for keys in self.sets.values { keys.stop() }
    }
}

extension GatewayConfiguration {
    /// The URLs with keys of its routes.
    fileprivate var fetchedKeys: [(source: KeySource, url: WebURL)] {
        self.routes.flatMap(\.auth).compactMap { kind in
            guard case .jwt(let settings) = kind, case .url(let url, _) = settings.keys else { return nil }
            return (settings.keys, url)
        }
    }
}

extension KeySource {
    /// Those that its server is verified with; `nil`: the system's.
    fileprivate func authorities(in files: CredentialFiles) -> TrustedAuthorities? {
        if case .url(_, let ca?) = self { files.authorities[ca] } else { nil }
    }
}
