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
        let address = try self.address()
        let answer: AdminClient.Answer
        do throws(AdminClient.Failure) {
            answer = try AdminClient.ask(address, method, target, body: body)
        } catch {
            throw Self.failed("\(error)")
        }
        guard answer.status == 200 else {
            let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(answer.body))
            let text = refusal?.error ?? String(decoding: answer.body, as: UTF8.self).trimmed
            throw Self.failed(([text] + (refusal?.mistakes ?? [])).joined(separator: "\n"))
        }
        return Data(answer.body)
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
