public import Configuration
internal import HTTP1
internal import System
internal import TLS

/// The admin address that a command asks, and what the command shows there.
public struct AdminTarget: Sendable {
    /// Where the gateway listens. If that is every local address, this machine is asked.
    public var address: Address
    /// Which certificates are trusted; `nil`: plain HTTP.
    public var trust: Trust?
    /// A user and a password; `nil`: none is shown.
    public var user: (name: String, password: String)?

    /// Which certificates a command trusts.
    public enum Trust: Equatable, Sendable {
        /// Those of the system's authorities, for the host of the address.
        case system
        /// Those of the authorities in a PEM file, for the host of the address.
        case authorities(String)
        /// The first certificates of these PEM files, and no others: those that the configuration of the gateway names.
        case certificates([String])
        /// Any: nothing is verified.
        case anything
    }

    /// Plain HTTP, without a password.
    public init(_ address: Address) { self.address = address }

    /// The address of a configuration, and its certificates.
    ///
    /// - Throws: one line if no command can verify it: its certificate is made at start, and others can reach it.
    public init(_ settings: GatewayConfiguration.Admin) throws(AdminClient.Failure) {
        self.init(settings.address)
        switch settings.tls?.identity {
        case nil: break
        case .files(let pairs): self.trust = .certificates(pairs.map(\.chain))
        // Only what runs on this machine can have its address.
        case .selfSigned where settings.address.isOfThisMachine: self.trust = .anything
        case .selfSigned:
            throw AdminClient.Failure(
                description: "the certificate of \(settings.address) is made at start, and cannot be verified: "
                    + "give `admin` `certificates`, or use --insecure")
        }
    }

    /// The fields of a request that a command sends.
    var fields: HTTPFields {
        // The one name that every admin address answers to.
        var fields: HTTPFields = ["Host": "localhost"]
        if let (name, password) = self.user {
            let text = "\(name):\(password)"
            fields.append("Authorization", "Basic " + Base64.encoded(text.utf8.span))
        }
        return fields
    }

    /// The addresses to connect to. Looking a name up blocks.
    func addresses() throws(AdminClient.Failure) -> [SocketAddress] {
        switch self.address {
        case .unix(let path): return [.unix(path: path)]
        case .abstract(let name): return [.abstract(name: name)]
        case .tcp(let host, let port):
            switch Resolver.addresses(of: host.isEmpty ? "localhost" : host, port: port) {
            case .success(let addresses): return addresses
            case .failure(let error): throw AdminClient.Failure(description: "\(error)")
            }
        }
    }

    /// Makes libssl's part of connections; `nil` without TLS.
    func tlsContext(_ io: TLSIO) throws(AdminClient.Failure) -> TLSClientContext? {
        do {
            return try self.tlsSettings().map { settings throws(TLSError) in try TLSClientContext(settings, io: io) }
        } catch {
            throw AdminClient.Failure(description: "\(error)")
        }
    }

    /// The name that the certificate has to be for; `nil`: any.
    var serverName: String? {
        switch self.trust {
        case .system, .authorities:
            if case .tcp(let host, _) = self.address { host.isEmpty ? "localhost" : host } else { "localhost" }
        case .certificates, .anything, nil: nil
        }
    }

    private func tlsSettings() throws -> TLSClientSettings? {
        func read(_ path: String) throws -> [UInt8] {
            do {
                return try FileReader.readNow([path]).contents(of: path)
            } catch {
                throw AdminClient.Failure(description: "\(path): cannot be read: \(error)")
            }
        }
        switch self.trust {
        case nil: return nil
        case .system: return TLSClientSettings(offersHTTP: true, resume: false)
        case .anything: return TLSClientSettings(verify: false, offersHTTP: true, resume: false)
        case .authorities(let path):
            let authorities = try TrustedAuthorities(pem: read(path), name: path)
            return TLSClientSettings(authorities: authorities, offersHTTP: true, resume: false)
        case .certificates(let paths):
            let authorities = try TrustedAuthorities(firstOf: paths.map { (try read($0), $0) })
            return TLSClientSettings(authorities: authorities, offersHTTP: true, resume: false)
        }
    }
}
