/// An address that accepts connections, with or without TLS.
public struct ListenerSettings: Equatable, Sendable {
    public var address: Address
    public var tls: ListenerTLS?
    /// Which users may connect to a Unix socket with a file; `nil`: the umask decides. Always `nil` for other addresses.
    public var access: FileAccessSettings?

    public init(address: Address, tls: ListenerTLS? = nil) {
        self.address = address
        self.tls = tls
    }
}

/// `tls:` of a listener.
public struct ListenerTLS: Equatable, Sendable {
    /// Where the certificates come from.
    public enum Identity: Equatable, Sendable {
        /// A certificate made at start for these host names and IP addresses.
        case selfSigned(names: [String])
        /// PEM files, chosen by SNI; the first is the default. Never empty.
        case files([CertificateFiles])
    }

    public var identity: Identity
    public var minimum = Keys.listenerTLS.minimum.default
    /// A PEM file of authorities. Clients must show a certificate that one of them signed; `nil`: they need none.
    public var clientCA: String?

    public init(identity: Identity) {
        self.identity = identity
    }
}

/// A certificate chain and its private key, as paths of PEM files.
public struct CertificateFiles: Equatable, Sendable {
    public var chain: String
    public var key: String

    public init(chain: String, key: String) {
        self.chain = chain
        self.key = key
    }
}
