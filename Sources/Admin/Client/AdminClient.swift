public import Configuration
internal import Connections
internal import HTTP1
internal import System

/// Sends one request to the admin address of a running gateway and waits for the answer, for the command line.
public enum AdminClient {
    /// What the gateway answered.
    public struct Answer: Equatable, Sendable {
        /// The HTTP status.
        public var status: Int
        /// The body, without the encoding that transferred it.
        public var body: [UInt8]
    }

    /// Why there is no answer: one line for people.
    public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The line.
        public let description: String
    }

    /// - Parameter address: where the gateway listens. If that is every local address, this machine is asked.
    /// - Throws: `Failure`, if no HTTP answer comes within 30 s. A status of 400 or more is an answer.
    public static func ask(
        _ address: Address, _ method: String, _ target: String, body: [UInt8] = []
    ) throws(Failure) -> Answer {
        // The one name that every admin address answers to.
        var fields: HTTPFields = ["Host": "localhost", "Connection": "close"]
        if method == "POST" {
            fields.append("Content-Type", "application/json")
            fields.append("Content-Length", String(body.count))
        }
        let request = RequestHead(method: method, target: target, fields: fields).bytes + body
        switch try self.outcome(of: self.exchange(request, with: address), with: address) {
        case .answer(let answer): return answer
        case .upgraded(let upgrade):
            upgrade.connection.close()
            fallthrough
        case .stopped: throw Failure(description: "\(address) is no admin address: it switches protocols")
        }
    }

    /// A request that is about to be sent.
    static func exchange(_ request: [UInt8], with address: Address) throws(Failure) -> AdminExchange {
        let addresses = try self.addresses(of: address)
        do throws(SystemError) { return try AdminExchange(request, to: addresses) } catch {
            throw Failure(description: "\(error)")
        }
    }

    /// Sends the request and waits for what comes of it.
    static func outcome(of exchange: AdminExchange, with address: Address) throws(Failure) -> AdminExchange.Outcome {
        switch exchange.run() {
        case .success(let outcome): return outcome
        case .failure(.unreachable(let reason)):
            throw Failure(description: "no answer at the admin address \(address): \(reason)")
        case .failure(.broken(let what)): throw Failure(description: "\(address) is no admin address: \(what)")
        }
    }

    /// The target of a question with these parameters; those without a value are left out.
    public static func target(_ path: String, _ parameters: [(name: String, value: String?)]) -> String {
        let query = parameters.compactMap { name, value in value.map { "\(name)=\($0.percentEncoded)" } }
        return query.isEmpty ? path : path + "?" + query.joined(separator: "&")
    }

    private static func addresses(of address: Address) throws(Failure) -> [SocketAddress] {
        switch address {
        case .unix(let path): return [.unix(path: path)]
        case .abstract(let name): return [.abstract(name: name)]
        case .tcp(let host, let port):
            switch Resolver.addresses(of: host.isEmpty ? "localhost" : host, port: port) {
            case .success(let addresses): return addresses
            case .failure(let error): throw Failure(description: "\(error)")
            }
        }
    }
}
