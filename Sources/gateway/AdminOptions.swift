internal import Admin
internal import ArgumentParser
internal import Configuration
internal import FoundationEssentials
internal import System

/// `--admin` and `--config`, the options of every command that talks to a running gateway.
struct AdminOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The admin address of the gateway, such as 127.0.0.1:9901 or unix:/run/gateway-admin.sock. (default: `admin` in \
            the configuration)
            """,
            valueName: "address"))
    var admin: String?

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
        let address = try self.address()
        let answer: AdminClient.Answer
        do throws(AdminClient.Failure) {
            answer = try AdminClient.ask(address, method, target, body: body)
        } catch {
            throw Problem(text: "\(error)")
        }
        guard answer.status == 200 else { throw Problem(text: Self.reason(of: answer)) }
        return Data(answer.body)
    }

    /// Why the gateway refused, in its words.
    private static func reason(of answer: AdminClient.Answer) -> String {
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
        let address = try self.address()
        let signals = [SignalSource.interrupt, SignalSource.terminate]
        SignalSource.block(signals)
        do throws(AdminClient.Failure) {
            return try AdminClient.listen(address, target, until: signals, opened: opened, receive: receive)
        } catch {
            throw Self.failed("\(error)")
        }
    }

    /// - Throws: exit status 1 if a WebSocket ended otherwise than with what it shows, or than we wanted.
    static func check(_ end: AdminClient.End) throws(ExitCode) {
        switch end {
        case .stopped: break
        case .closed(code: 1000, let reason): OutputFile.standardError.append(line: "gateway: \(reason.printable)")
        case .closed(let code, let reason):
            let text = [code.map { "\($0)" }, reason.printable].compactMap { $0 }.joined(separator: " ").trimmed
            throw self.failed("the gateway closed the connection: \(text)")
        case .refused(let answer): throw self.failed(self.reason(of: answer))
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

    private func address() throws -> Address {
        if let admin = self.admin {
            do throws(Mistake) { return try Address(parsing: admin, for: .connect) } catch {
                throw ValidationError("--admin \(error.problem)")
            }
        }
        let (path, configuration) = try self.file.load()
        guard let settings = configuration.admin else {
            throw Self.failed("\(path) has no `admin` address: add one, or name it with --admin ADDRESS")
        }
        if case .tcp(_, port: 0) = settings.address {
            throw Self.failed("\(path) leaves the admin port to the system: name the address with --admin ADDRESS")
        }
        return settings.address
    }

    /// Prints the reason to standard error. Throw what this returns: it is exit status 1.
    static func failed(_ message: String) -> ExitCode {
        OutputFile.standardError.append(line: "gateway: \(message)")
        return .failure
    }
}
