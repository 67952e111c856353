internal import Configuration
internal import Connections
internal import Credentials
internal import HTTP1
internal import Observability
internal import System
internal import TLS

/// The keys of one URL: fetches them when it is time, and keeps those that it has when that fails.
final class FetchedKeys: TimerHandler {
    /// What those of all URLs share.
    struct Means {
        let names: NameRefresh
        let sideWork: SideWork
        let connections: ConnectionContext
        let log: Log
        /// Puts other keys in force.
        let changed: () -> Void
        /// Counts a fetch.
        let fetched: (_ hasFailed: Bool) -> Void
    }

    /// How often they are fetched.
    private static let refresh = Duration.seconds(600)
    /// How often at most they are fetched because of unknown keys.
    private static let pace = Duration.seconds(30)

    /// Those in force; `nil`: none yet.
    private(set) var keys: KeySet?
    private let url: WebURL
    private let means: Means
    private var authorities: TrustedAuthorities?
    private var tls: TLSClientContext?
    private var schedule: RefreshSchedule
    private var timer: EventLoop.TimerID?
    private var fetch: KeyFetch?
    /// They are of the configuration in force. Before that they are fetched once.
    private var isUsed = false
    private var isOver = false
    /// A hash of the last answer that was used.
    private var digest: [UInt8]?
    /// What was last said of a failure; `nil`: the last fetch succeeded.
    private var failure: String?
    private var waiting: [() -> Void] = []

    /// - Parameter authorities: those that its server's certificate must come from; `nil`: the system's.
    init(_ url: WebURL, _ authorities: TrustedAuthorities?, _ means: Means) {
        self.url = url
        self.authorities = authorities
        self.means = means
        self.schedule = RefreshSchedule(refresh: Self.refresh, pace: Self.pace, at: means.connections.loop.now)
    }

    // MARK: - When

    /// Fetches them for the first time.
    ///
    /// - Parameter then: called when they are in force, or cannot be fetched.
    func begin(then: @escaping () -> Void) {
        self.waiting.append(then)
        self.fetchNow()
    }

    /// Fetches them again and again from now on, until `stop`.
    func use(_ authorities: TrustedAuthorities?) {
        if authorities != self.authorities { self.tls = nil }
        self.authorities = authorities
        self.isUsed = true
        self.goOn()
    }

    /// A token names a key that is not among them.
    func doubted() {
        self.schedule.doubted(at: self.means.connections.loop.now)
        self.goOn()
    }

    /// Fetches them no more.
    func stop() {
        self.isOver = true
        self.means.connections.loop.cancelTimer(&self.timer)
        self.fetch?.cancel()
        self.fetch = nil
    }

    func timerFired() {
        self.timer = nil
        self.goOn()
    }

    private func goOn() {
        guard self.isUsed, !self.isOver else { return }
        let (loop, due) = (self.means.connections.loop, self.schedule.due)
        if due > loop.now {
            if due != .never { loop.setTimer(&self.timer, at: due, self) }
        } else {
            loop.cancelTimer(&self.timer)
            self.fetchNow()
        }
    }

    // MARK: - Fetching

    private func fetchNow() {
        self.schedule.begin(at: self.means.connections.loop.now)
        do throws(TLSError) {
            let tls = if let known = self.tls { known } else { try self.makeTLS() }
            self.tls = tls
            let fetch = KeyFetch(self.url, tls, self.means.connections) { [unowned self] in self.answered($0) }
            self.fetch = fetch
            fetch.start(self.means.names)
        } catch {
            self.failed(because: "\(error)")
        }
    }

    /// Each fetch must see the certificate that the server has now, so sessions are not resumed.
    private func makeTLS() throws(TLSError) -> TLSClientContext {
        try TLSClientContext(
            TLSClientSettings(authorities: self.authorities, offersHTTP: true, resume: false),
            io: self.means.connections.tlsIO)
    }

    private func answered(_ result: KeyFetch.Result) {
        self.fetch = nil
        switch result {
        case .failure(let failure): self.failed(because: failure.reason)
        case .success(let content):
            let digest = Digest.sha256(content.bytes)
            guard digest != self.digest else { return self.succeeded(nil) }
            // Large numbers are checked: that takes a while.
            self.means.sideWork.make {
                Result { () throws(KeySet.Mistake) in try KeySet(parsing: content.bytes, from: .url) }
            } then: { result in
                guard !self.isOver else { return }
                switch result {
                case .success(let keys):
                    self.digest = digest
                    self.succeeded(keys)
                case .failure(let mistake):
                    let type = content.type.map { "; it is called \($0.cut)" } ?? ""
                    self.failed(because: "its answer \(mistake)\(type)")
                }
            }
        }
    }

    /// - Parameter keys: `nil`: the same as before.
    private func succeeded(_ keys: KeySet?) {
        let wasFailing = self.failure != nil
        self.failure = nil
        if let keys {
            self.keys = keys
            // In force before the log says so.
            self.means.changed()
        }
        if keys != nil || wasFailing {
            self.means.log.write(self.record(.info, "keys-fetched"))
            for warning in keys?.warnings ?? [] {
                self.means.log.write(.warning, "credentials-incomplete", reason: "\(self.url.withoutQuery): \(warning)")
            }
        }
        self.ended()
    }

    private func failed(because reason: String) {
        // A server that is down for long is one line.
        if reason != self.failure {
            var record = self.record(self.keys == nil ? .error : .warning, "keys-not-fetched")
            record.add("reason", reason)
            self.means.log.write(record)
        }
        self.failure = reason
        self.ended()
    }

    private func ended() {
        let hasFailed = self.failure != nil
        self.schedule.answered(hasSucceeded: !hasFailed, at: self.means.connections.loop.now)
        self.means.fetched(hasFailed)
        let waiting = self.waiting
        self.waiting = []
        for then in waiting { then() }
        self.goOn()
    }

    /// - Returns: a record with how many keys are in force.
    private func record(_ level: LogLevel, _ event: String) -> LogRecord {
        var record = LogRecord(level, event)
        record.add("url", self.url.withoutQuery)
        record.add("keys", self.keys?.count ?? 0)
        return record
    }
}
