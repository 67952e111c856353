/// An address that accepts connections, with or without TLS.
package struct ListenerSettings: Equatable, Sendable {
    package var address: Address
    package var tls: ListenerTLS?
    /// Which users may connect to a Unix socket with a file; `nil`: the umask decides. Always `nil` for other addresses.
    package var access: FileAccessSettings?

    package init(address: Address, tls: ListenerTLS? = nil) {
        self.address = address
        self.tls = tls
    }
}

/// `tls:` of a listener.
package struct ListenerTLS: Equatable, Sendable {
    /// Where the certificates come from.
    package enum Identity: Equatable, Sendable {
        /// A certificate made at start for these host names and IP addresses.
        case selfSigned(names: [String])
        /// PEM files, chosen by SNI; the first is the default. Never empty.
        case files([CertificateFiles])
    }

    package var identity: Identity
    package var minimum = Keys.listenerTLS.minimum.default
    /// A PEM file of authorities. Clients must show a certificate that one of them signed; `nil`: they need none.
    package var clientCA: String?

    package init(identity: Identity) {
        self.identity = identity
    }
}

/// A certificate chain and its private key, as paths of PEM files.
package struct CertificateFiles: Equatable, Sendable {
    package var chain: String
    package var key: String

    package init(chain: String, key: String) {
        self.chain = chain
        self.key = key
    }
}
