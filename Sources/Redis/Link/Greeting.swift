internal import Configuration

/// How a connection begins: `HELLO` with user and password, and the database. Servers without `HELLO` (before Redis 6) get `AUTH`, and speak
/// RESP2.
struct Greeting {
    enum Progress: Equatable {
        /// This is sent next.
        case next(RedisCommand)
        case done
        /// - Parameter reason: half a sentence for the log, without anything that is secret.
        case refused(String)
    }

    private enum Step {
        case hello
        case authentication
        case database
    }

    private let settings: ClusterSettings
    private var step = Step.hello

    init(_ settings: ClusterSettings) { self.settings = settings }

    /// What a connection sends first.
    var first: RedisCommand {
        var words = ["HELLO", "3"]
        if let password = self.settings.password { words += ["AUTH", self.settings.user ?? "default", password] }
        words += ["SETNAME", "gateway"]
        return RedisCommand(words.map { Array($0.utf8) })
    }

    mutating func received(_ reply: RedisValue) -> Progress {
        switch (self.step, reply) {
        case (.hello, .list(let properties)):
            if let flaw = Self.flaw(of: properties) { return .refused(flaw) }
            return self.selectDatabase()
        case (.hello, .error(let bytes)):
            let refusal = RedisRefusal(bytes)
            // Its text may have the command's words in it, the password among them.
            let isOld = refusal.code == "NOPROTO" || refusal.description.hasPrefix("ERR unknown command")
            return isOld ? self.authenticate() : .refused(self.words(for: refusal))
        case (.authentication, .error(let bytes)): return .refused(self.words(for: RedisRefusal(bytes)))
        case (.database, .error(let bytes)):
            return .refused("it refuses database \(self.settings.server.database): \(RedisRefusal(bytes))")
        case (.authentication, .bytes): return self.selectDatabase()
        case (.database, .bytes): return .done
        default: return .refused("it sent something that is no answer to a greeting")
        }
    }

    private mutating func authenticate() -> Progress {
        guard let password = self.settings.password else { return self.selectDatabase() }
        self.step = .authentication
        guard let user = self.settings.user else { return .next(RedisCommand("AUTH", password)) }
        return .next(RedisCommand("AUTH", user, password))
    }

    private mutating func selectDatabase() -> Progress {
        guard self.settings.server.database != 0 else { return .done }
        self.step = .database
        return .next(RedisCommand("SELECT", "\(self.settings.server.database)"))
    }

    private func words(for refusal: RedisRefusal) -> String {
        switch refusal.code {
        case "WRONGPASS": "it refuses user `\(self.settings.user ?? "default")` or its password (WRONGPASS)"
        case "NOAUTH": "it demands a password (NOAUTH)"
        case let code: "it refuses the greeting (\(code))"
        }
    }

    /// Why a server of which `HELLO` says this cannot be used; `nil`: it can.
    private static func flaw(of properties: [RedisValue]) -> String? {
        for (key, value) in zip(properties, properties.dropFirst()) {
            switch (key.text, value.text) {
            case ("role", let role?) where role != "master":
                return "it is a \(RedisRefusal(Array(role.utf8))), which cannot be written to"
            case ("mode", let mode?) where mode != "standalone":
                return "it runs in the mode `\(RedisRefusal(Array(mode.utf8)))`: a single server is needed"
            default: break
            }
        }
        return nil
    }
}
