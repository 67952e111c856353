internal import Admin
internal import ArgumentParser
internal import Configuration
internal import FoundationEssentials
internal import System

/// `--admin`, `--config`, `--user` and others: the options of every command that talks to a running gateway.
struct AdminOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The admin address of the gateway, such as 127.0.0.1:9901, https://gateway.internal:9901 or \
            unix:/run/gateway-admin.sock. (default: `admin` in the configuration)
            """,
            valueName: "address"))
    var admin: String?

    @Option(
        help: ArgumentHelp(
            """
            The user to show. The password is in the environment variable GATEWAY_PASSWORD, or behind a colon, where others \
            on this machine see it.
            """,
            valueName: "name[:password]"))
    var user: String?

    @Option(
        help: ArgumentHelp(
            """
            A PEM file of authorities that are trusted with https, instead of the system's. (default: with the address of \
            the configuration, its certificates alone)
            """,
            valueName: "file"))
    var ca: String?

    @Flag(help: "Trust any certificate, for trials: any server that answers gets the password.")
    var insecure = false

    @OptionGroup var file: ConfigurationOptions

    /// Sends a request to the running gateway. If it is not answered with 200, the answer is printed to standard error.
    ///
    /// - Returns: the body of the answer.
    /// - Throws: exit status 1 if the gateway refuses or does not answer; a usage error if `--admin` is no address.
    func ask(_ method: String, _ target: String, _ body: some Encodable) throws -> Data {
        try self.ask(method, target, [UInt8](JSONEncoder().encode(body)))
    }

    func ask(_ method: String, _ target: String, _ body: [UInt8] = []) throws -> Data {
        do { return try self.quietly(method, target, body) } catch let problem as Problem {
            throw Self.failed(problem.text)
        }
    }

    /// The same without a word.
    ///
    /// - Throws: `Problem` if the gateway refuses or does not answer.
    func quietly(_ method: String, _ target: String, _ body: [UInt8] = []) throws -> Data {
        let asked = try self.asked()
        let answer: AdminClient.Answer
        do throws(AdminClient.Failure) {
            answer = try AdminClient.ask(asked, method, target, body: body)
        } catch {
            throw Problem(text: "\(error)")
        }
        guard answer.status == 200 else { throw Problem(text: Self.reason(of: answer, from: asked)) }
        return Data(answer.body)
    }

    /// Why the gateway refused, in its words.
    private static func reason(of answer: AdminClient.Answer, from asked: AdminTarget) -> String {
        if answer.status == 401 { return self.unauthorized(asked) }
        let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(answer.body))
        let text = refusal?.error ?? String(decoding: answer.body, as: UTF8.self).trimmed
        return ([text] + (refusal?.mistakes ?? [])).joined(separator: "\n")
    }

    /// Takes the messages of a WebSocket of the running gateway until it ends, or SIGINT or SIGTERM comes.
    ///
    /// - Parameters:
    ///   - opened: called when the gateway has agreed; returns whether to go on.
    ///   - receive: gets each message; returns whether to go on.
    /// - Throws: as `ask`.
    func listen(
        _ target: String, opened: () -> Bool = { true }, receive: @escaping ([UInt8]) -> Bool
    ) throws -> AdminClient.End {
        let asked = try self.asked()
        let signals = [SignalSource.interrupt, SignalSource.terminate]
        SignalSource.block(signals)
        let outcome: AdminClient.Outcome
        do throws(AdminClient.Failure) {
            outcome = try AdminClient.listen(asked, target, until: signals, opened: opened, receive: receive)
        } catch {
            throw Self.failed("\(error)")
        }
        switch outcome {
        case .refused(let answer): throw Self.failed(Self.reason(of: answer, from: asked))
        case .ended(let end): return end
        }
    }

    private struct Status: Decodable { var payloads: Bool }

    /// Prints a line to standard error if tails of the gateway show no payloads. If that cannot be asked, nothing is printed.
    ///
    /// - Returns: true.
    func sayIfPayloadsAreHidden() -> Bool {
        let status = (try? self.quietly("GET", "/api/status")).flatMap {
            try? JSONDecoder().decode(Status.self, from: $0)
        }
        if status?.payloads == false {
            OutputFile.standardError.append(line: "gateway: payloads are not shown: set `payloads: true` in `admin`")
        }
        return true
    }

    /// - Throws: exit status 1 if a WebSocket ended otherwise than with what it shows, or than we wanted.
    ///
    /// - Parameter session: the id of the one that it shows; `nil`: it shows several.
    static func check(_ end: AdminClient.End, ofSession session: String?) throws(ExitCode) {
        switch end {
        case .stopped: break
        case .closed(code: 1000, let reason):
            let text = reason.printable
            let named = session.map { text.replacing("session ended", with: "session \($0.lowercased()) ended") }
            OutputFile.standardError.append(line: "gateway: \(named ?? text)")
        case .closed(let code, let reason):
            let text = [code.map { "\($0)" }, reason.printable].compactMap { $0 }.joined(separator: " ").trimmed
            throw self.failed("the gateway closed the connection: \(text)")
        case .lost(let reason): throw self.failed("the connection to the gateway is lost: \(reason)")
        }
    }

    /// Why a gateway did not do what it was asked.
    struct Problem: Error {
        /// One line or more, for people.
        let text: String
    }

    private struct Refusal: Decodable {
        var error: String
        var mistakes: [String]?
    }

    /// What `--user` or the password have to be.
    static func unauthorized(_ asked: AdminTarget) -> String {
        guard asked.user != nil else {
            return "\(asked.address) asks for a password: name the user with --user NAME, and set GATEWAY_PASSWORD"
        }
        return "\(asked.address) refuses the user or the password: check --user and GATEWAY_PASSWORD"
    }

    /// Where to ask, and with which password.
    ///
    /// - Throws: exit status 1 if the configuration has no address; a usage error for wrong options.
    func asked() throws -> AdminTarget {
        var asked = try self.place()
        if self.ca != nil || self.insecure, asked.trust == nil {
            throw ValidationError("--ca and --insecure are for https: name the address with --admin https://HOST:PORT")
        }
        if let ca = self.ca { asked.trust = .authorities(ca) }
        if self.insecure { asked.trust = .anything }
        asked.user = try self.credential()
        return asked
    }

    private func credential() throws -> (name: String, password: String)? {
        guard let user = self.user else { return nil }
        let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard !parts[0].isEmpty else { throw ValidationError("--user needs a name") }
        if parts.count > 1 { return (String(parts[0]), String(parts[1])) }
        guard let password = ProcessInfo.processInfo.environment["GATEWAY_PASSWORD"] else {
            throw ValidationError("--user needs a password: set GATEWAY_PASSWORD")
        }
        return (user, password)
    }

    private func place() throws -> AdminTarget {
        if let admin = self.admin { return try Self.place(admin) }
        guard self.file.hasFile else {
            throw Self.failed(
                "no gateway.conf here, and no /etc/gateway/gateway.conf: name the gateway's address with --admin ADDRESS, "
                    + "or a file with --config FILE")
        }
        let (path, found) = try self.settings()
        guard let settings = found else {
            throw Self.failed("\(path) has no `admin` address: add one, or name it with --admin ADDRESS")
        }
        if case .tcp(_, port: 0) = settings.address {
            throw Self.failed("\(path) leaves the admin port to the system: name the address with --admin ADDRESS")
        }
        var asked = AdminTarget(settings.address)
        guard self.ca == nil, !self.insecure else {
            asked.trust = settings.tls.map { _ in .anything }
            return asked
        }
        do throws(AdminClient.Failure) { return try AdminTarget(settings) } catch { throw Self.failed("\(error)") }
    }

    /// `admin` of the file.
    ///
    /// - Throws: exit status 1 if it has mistakes.
    private func settings() throws(ExitCode) -> (path: String, settings: GatewayConfiguration.Admin?) {
        do throws(ConfigurationReader.Failure) { return try self.file.readAdmin() } catch {
            throw Self.failed("\(error)\nname the address with --admin ADDRESS")
        }
    }

    private static func place(_ text: String) throws -> AdminTarget {
        var rest = text
        var trust: AdminTarget.Trust?
        for (scheme, trusted) in [("https://", AdminTarget.Trust.system), ("http://", nil)] where text.hasPrefix(scheme)
        {
            trust = trusted
            rest = String(text.dropFirst(scheme.count))
            if rest.hasSuffix("/") { rest.removeLast() }
        }
        do throws(Mistake) {
            var asked = AdminTarget(try Address(parsing: rest, for: .connect))
            asked.trust = trust
            return asked
        } catch {
            throw ValidationError("--admin \(error.problem)")
        }
    }

    /// Prints the reason to standard error. Throw what this returns: it is exit status 1.
    static func failed(_ message: String) -> ExitCode {
        let lines = message.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable }
        OutputFile.standardError.append(line: "gateway: \(lines.joined(separator: "\n"))")
        return .failure
    }
}
