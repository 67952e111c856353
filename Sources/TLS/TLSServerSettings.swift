import COpenSSL

/// What a listener's TLS is to be.
package struct TLSServerSettings: Sendable, Hashable {
    /// What tells the listener from others, for example its address. Tickets are good within one identity only.
    package var identity: String
    /// Chosen by the name that the client asks for, and of those of one name by the kind that it can verify; the first is the default.
    /// At least one.
    package var certificates: [Certificate]
    /// The oldest version spoken.
    package var minimum: TLSVersion
    /// Clients have to show a certificate of one of these, if set.
    package var clientAuthorities: TrustedAuthorities?

    package init(
        identity: String, certificates: [Certificate], minimum: TLSVersion = .v1_2,
        clientAuthorities: TrustedAuthorities? = nil
    ) {
        self.identity = identity
        self.certificates = certificates
        self.minimum = minimum
        self.clientAuthorities = clientAuthorities
    }

    var serverNames: ServerNames {
        ServerNames(self.certificates.map { ServerNames.Entry(names: $0.names, kind: $0.kind) })
    }

    /// What is configured and never shown: for each name of a certificate that one of the same kind before it has, the places of both.
    package var shadowed: [(index: Int, name: String, kind: String, by: Int)] {
        self.serverNames.shadowed.map { ($0.index, $0.name, self.certificates[$0.index].kind.description, $0.by) }
    }

    /// SHA-256 over all of it, so that a ticket is good only where everything is as it was when it was made.
    var sessionContext: [UInt8] {
        var fields: [[UInt8]] = [Array(self.identity.utf8), Array(self.minimum.rawValue.utf8)]
        fields.append([UInt8(clamping: self.certificates.count)])
        fields += self.certificates.flatMap { $0.chain + [[]] }
        if let authorities = self.clientAuthorities {
            fields += [Array("client-ca".utf8)] + authorities.certificates
        }
        var bytes: [UInt8] = []
        for field in fields {
            // Each field's length first, so that no two lists of fields look the same.
            bytes += (0..<8).map { UInt8(truncatingIfNeeded: field.count >> ($0 * 8)) }
            bytes += field
        }
        // Sound: SHA256 writes 32 bytes.
        return unsafe [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { buffer, count in
            unsafe SHA256(bytes, bytes.count, buffer.baseAddress)
            count = Int(SHA256_DIGEST_LENGTH)
        }
    }
}
