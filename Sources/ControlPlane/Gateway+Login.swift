public import Configuration
internal import Credentials
public import DataPlane
public import HTTP1
internal import Observability
public import System
public import TLS

/// The users of the admin address.
extension Gateway {
    /// What came of the password of a request.
    public enum Login: Equatable, Sendable {
        /// The password of this user is right.
        case user(String)
        /// The request has none.
        case absent
        /// It is wrong, or cannot be read.
        case refused
        /// It was not verified: too many are.
        case crowded
    }

    /// Verifies the password of a request at the admin address.
    ///
    /// - Parameters:
    ///   - settings: `auth` of `admin`.
    ///   - address: the client's.
    ///   - answer: called at once, or when a thread has hashed the password.
    /// - Returns: what goes on; cancel it if the answer is of no use any more.
    public func login(
        _ fields: HTTPFields, _ settings: BasicSettings, from address: SocketAddress,
        answer: @escaping (Login) -> Void
    ) -> PasswordCheck? {
        switch BasicCredential.find(in: fields) {
        case .absent: answer(.absent)
        case .refused: answer(.refused)
        case .credential(let credential):
            guard let file = self.serving.credentials.contents.users[settings.file] else {
                answer(.refused)
                return nil
            }
            return self.passwords.check(
                credential, of: file, from: address.ip?.subscriber, on: self.loop
            ) { [unowned self] outcome in
                switch outcome {
                case .right: answer(.user(credential.user))
                case .wrong:
                    self.logGuess(from: address)
                    answer(.refused)
                case .crowded: answer(.crowded)
                }
            }
        }
        return nil
    }

    /// There are no more of these lines than passwords that are hashed. The user is not named: some write the password there.
    private func logGuess(from address: SocketAddress) {
        var record = LogRecord(.warning, "admin-refused")
        record.add("client", address.ip?.description ?? "unix")
        record.add("reason", "the user or the password is wrong")
        self.log.write(record)
    }

    /// TLS at the admin address, with its certificates as they are now; `nil`: it has none.
    public var adminTLS: (settings: TLSServerSettings, tickets: TicketKeys)? {
        self.serving.adminTLS.map { ($0, self.serving.adminTickets) }
    }
}
