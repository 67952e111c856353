/// An address that accepts connections, with or without TLS.
public struct ListenerSettings: Equatable, Sendable {
    /// Where it accepts connections. Port 0 is any free port.
    public var address: Address
    /// The `tls` section; `nil`: plain text.
    public var tls: TLS?
    /// Which users may connect to a Unix socket with a file; `nil`: the umask decides. Always `nil` for other addresses.
    public var access: FileAccessSettings?
    /// Each connection has to begin with a PROXY header.
    public var proxyProtocol = Keys.listener.proxyProtocol.default
    /// The peers that may connect; empty: all.
    public var allow: [IPNetwork] = []
    /// The `timeouts` section.
    public var timeouts = Timeouts()
    /// The `limits` section.
    public var limits = Limits()
    /// The keys of that section that are not inherited.
    public var scope = ScopeLimits()

    /// A listener on which every other key is absent.
    public init(address: Address, tls: TLS? = nil) {
        self.address = address
        self.tls = tls
    }
}

extension ListenerSettings {
    /// `timeouts:` of a listener.
    public struct Timeouts: Equatable, Sendable, KeyedSettings {
        /// From an answer to the next request of the connection.
        public var keepAlive = Keys.listenerTimeouts.keepAlive.default

        /// Every key is absent.
        init() {}

        static let fields = [Field(Keys.listenerTimeouts.keepAlive, \Self.keepAlive)]
    }

    /// `limits:` of a listener. They are inclusive.
    public struct Limits: Equatable, Sendable, KeyedSettings {
        /// The largest head of a request.
        public var head = Keys.listenerLimits.head.default
        /// The most connections of one address (`IPAddress.subscriber`) at once; `nil`: no limit. Trusted proxies have none.
        public var connectionsPerAddress = Keys.listenerLimits.connectionsPerAddress.default

        /// Every key is absent.
        init() {}

        static let fields = [
            Field(Keys.listenerLimits.head, \Self.head),
            Field(Keys.listenerLimits.connectionsPerAddress, \.connectionsPerAddress),
        ]
    }
}

/// A certificate chain and its private key, as paths of PEM files.
public struct CertificateFiles: Equatable, Sendable {
    /// The certificate, and after it those that lead to its authority.
    public var chain: String
    /// The private key of the first certificate in `chain`. It has no passphrase.
    public var key: String

    /// Two paths, as the file has them.
    public init(chain: String, key: String) {
        self.chain = chain
        self.key = key
    }
}

extension ListenerSettings {
    /// `tls:` of a listener.
    public struct TLS: Equatable, Sendable {
        /// Where the certificates come from.
        public enum Identity: Equatable, Sendable {
            /// A certificate made at start for these host names and IP addresses.
            case selfSigned(names: [String])
            /// PEM files, chosen by SNI; the first is the default. Never empty.
            case files([CertificateFiles])
        }

        /// The certificates that clients are shown.
        public var identity: Identity
        /// `minimum`: the oldest version of TLS that is spoken.
        public var minimum = Keys.listenerTLS.minimum.default
        /// A PEM file of authorities. Clients must show a certificate that one of them signed; `nil`: they are asked for none.
        public var clientCA: String?
        /// `client-auth`: with `clientCA`, whether they must show one at all.
        public var clientAuth = Keys.listenerTLS.clientAuth.default

        /// TLS in which every other key is absent.
        public init(identity: Identity) {
            self.identity = identity
        }
    }
}
