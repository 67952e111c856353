internal import Configuration
internal import Connections
internal import HTTP1
internal import System
internal import TLS

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

    /// - Throws: `Failure`, if no HTTP answer comes within 30 s. A status of 400 or more is an answer.
    public static func ask(
        _ target: AdminTarget, _ method: String, _ path: String, body: [UInt8] = []
    ) throws(Failure) -> Answer {
        var fields = target.fields
        fields.append("Connection", "close")
        if method == "POST" {
            fields.append("Content-Type", "application/json")
            fields.append("Content-Length", String(body.count))
        }
        let request = RequestHead(method: method, target: path, fields: fields).bytes + body
        switch try self.outcome(of: self.exchange(request, with: target), with: target) {
        case .answer(let answer): return answer
        case .upgraded(let upgrade):
            upgrade.connection.close()
            fallthrough
        case .stopped: throw Failure(description: "\(target.address) is no admin address: it switches protocols")
        }
    }

    /// Sends the request and waits for what comes of it.
    static func outcome(of exchange: AdminExchange, with target: AdminTarget) throws(Failure) -> AdminExchange.Outcome {
        let address = target.address
        switch exchange.run() {
        case .success(let outcome): return outcome
        case .failure(.unreachable(let reason)):
            throw Failure(description: "no answer at the admin address \(address): \(reason)")
        case .failure(.broken(let what)):
            let hint = target.trust == nil ? "; if it has TLS, name it with --admin https://…" : ""
            throw Failure(description: "\(address) is no admin address: \(what)\(hint)")
        }
    }

    /// The target of a question with these parameters; those without a value are left out.
    public static func target(_ path: String, _ parameters: [(name: String, value: String?)]) -> String {
        let query = parameters.compactMap { name, value in value.map { "\(name)=\($0.percentEncoded)" } }
        return query.isEmpty ? path : path + "?" + query.joined(separator: "&")
    }

    /// A request that is about to be sent.
    static func exchange(_ request: [UInt8], with target: AdminTarget) throws(Failure) -> AdminExchange {
        let addresses = try target.addresses()
        let context: ConnectionContext
        do throws(SystemError) {
            context = ConnectionContext(try EventLoop(batch: 4), readSize: AdminExchange.readSize)
        } catch {
            throw Failure(description: "\(error)")
        }
        let (tls, name) = (try target.tlsContext(context.tlsIO), target.serverName)
        return AdminExchange(request, to: addresses, context) { try tls?.makeConnection(serverName: name) }
    }
}
