internal import Configuration
internal import DataPlane
internal import Observability
internal import System

/// Keeps the tokens of all backends up to date. Threads of their own read the files, so a file system that hangs holds nothing up but changes
/// of its own tokens.
final class TokenWatch {
    /// How long a change waits for the addresses of names that are new.
    private static let longestLookUp = Duration.milliseconds(700)
    /// The most backends that are looked at at a time.
    private static let mostThreads = 16

    private let files: FileReader
    private let names: NameRefresh
    private let loop: EventLoop
    private let log: Log
    /// By their targets.
    private var sources: [ObjectIdentifier: TokenSource] = [:]
    /// Those of the configuration in force.
    private var nameSettings = GatewayConfiguration().names

    /// Throws if the system has no descriptor for the answers.
    init(
        _ access: FileReader.Access, _ names: NameRefresh, _ loop: EventLoop, _ log: Log
    ) throws(SystemError) {
        self.files = try FileReader(on: loop, access: access, mostThreads: Self.mostThreads)
        self.names = names
        self.loop = loop
        self.log = log
    }

    /// Reads all tokens and waits for that, but no longer than `FileReader.limit`.
    func start(_ active: ActiveConfiguration) {
        var isWaiting = true
        self.read(active) { isWaiting = false }
        while isWaiting { self.loop.turn() }
    }

    /// Reads the tokens of a configuration that will be put in force, unless they are in force already.
    ///
    /// - Parameter then: called when they were read, or their reading takes longer than `FileReader.limit`.
    func read(_ active: ActiveConfiguration, then: @escaping () -> Void) {
        let unread = active.backends.filter { $0.tokens.map { $0.current == nil } ?? false }
        var missing = unread.count
        guard missing > 0 else { return then() }
        for backend in unread {
            self.source(of: backend)?.look {
                missing -= 1
                if missing == 0 { then() }
            }
        }
    }

    /// Looks at the files of this configuration from now on, and at no others.
    func use(_ active: ActiveConfiguration) {
        self.nameSettings = active.settings.names
        let present = active.backends.compactMap(self.source)
        let ids = Set(present.map { ObjectIdentifier($0.targets) })
        for (id, source) in self.sources where !ids.contains(id) {
            source.stop()
            self.sources[id] = nil
        }
        for source in present { source.watch() }
    }

    /// `nil` for a backend without tokens.
    private func source(of backend: Backend) -> TokenSource? {
        guard let targets = backend.tokens else { return nil }
        if let source = self.sources[ObjectIdentifier(targets)] { return source }
        let source = TokenSource(targets, of: backend.name, self.files, self.loop, self.log) { [unowned self] in
            self.resolve($0, then: $1)
        } changed: { [unowned self] in
            self.names.use($0.added, insteadOf: $0.removed, self.nameSettings)
        }
        self.sources[ObjectIdentifier(targets)] = source
        return source
    }

    private func resolve(_ endpoints: [Endpoint], then: @escaping () -> Void) {
        self.names.resolve(endpoints, self.nameSettings, within: Self.longestLookUp, then: then)
    }
}
