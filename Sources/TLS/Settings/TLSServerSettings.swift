/// The settings of a listener's TLS.
public struct TLSServerSettings: Sendable, Hashable {
    /// Distinguishes the listener from others, for example its address. A ticket is valid only for the same identity.
    var identity: String
    /// At least one; the first is the default. They are chosen by the name that the client asks for, and by the kinds of keys
    /// that it can verify.
    public internal(set) var certificates: [Certificate]
    /// The oldest version to speak.
    var minimum: TLSVersion
    /// If set, clients are asked for a certificate of one of these.
    var clientAuthorities: TrustedAuthorities?
    /// Clients that are asked must show one.
    var demandsCertificate: Bool

    /// `certificates` is not empty. By default clients need no certificate of their own.
    public init(
        identity: String, certificates: [Certificate], minimum: TLSVersion = .v1_2,
        clientAuthorities: TrustedAuthorities? = nil, demandsCertificate: Bool = true
    ) {
        self.identity = identity
        self.certificates = certificates
        self.minimum = minimum
        self.clientAuthorities = clientAuthorities
        self.demandsCertificate = demandsCertificate
    }

    /// Finds the certificates for a name.
    var serverNames: ServerNames {
        ServerNames(self.certificates.map { ServerNames.Entry(names: $0.names, kind: $0.kind) })
    }

    /// What is configured and never shown: the names of certificates (`index`) that an earlier one of the same kind (`by`) has,
    /// too.
    public var shadowed: [(index: Int, name: String, kind: String, by: Int)] {
        self.serverNames.shadowed.map { ($0.index, $0.name, self.certificates[$0.index].kind.description, $0.by) }
    }

    /// For each name, when the first of the certificates that are shown for it expires, in seconds since 1970. The name of a certificate
    /// without names is `-`.
    public var expiries: [String: Int64] {
        var hidden = self.serverNames.shadowed[...]
        var expiries: [String: Int64] = [:]
        for (index, certificate) in self.certificates.enumerated() {
            var names = Set(certificate.names)
            while let next = hidden.first, next.index == index { names.remove(hidden.removeFirst().name) }
            if certificate.names.isEmpty { names = ["-"] }
            for name in names { expiries[name] = min(expiries[name] ?? .max, certificate.notAfter) }
        }
        return expiries
    }

    /// SHA-256 of all settings, so that a ticket is valid only under the settings with which it was made.
    var sessionContext: [UInt8] {
        var fields: [[UInt8]] = [Array(self.identity.utf8), Array(self.minimum.rawValue.utf8)]
        fields.append([UInt8(clamping: self.certificates.count)])
        fields += self.certificates.flatMap { $0.chain + [[]] }
        if let authorities = self.clientAuthorities {
            fields += [Array((self.demandsCertificate ? "client-ca" : "optional").utf8)] + authorities.certificates
        }
        var bytes: [UInt8] = []
        for field in fields {
            // Each field is preceded by its length, so that no two lists of fields have the same bytes.
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: field.count >> ($0 * 8)) }
            bytes += field
        }
        return Digest.sha256(bytes)
    }
}
