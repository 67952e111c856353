/// Certificate authorities that are trusted to certify a peer.
public struct TrustedAuthorities: Sendable, Hashable {
    /// In DER, in the order of the text.
    let certificates: [[UInt8]]
}

extension TrustedAuthorities {
    /// Reads the certificates of a PEM text.
    ///
    /// - Parameter name: the name of the text in errors: its file.
    /// - Throws: `TLSError` of the kind `.configuration` if it has none, or a damaged one.
    public init(pem: [UInt8], name: String) throws(TLSError) {
        self.certificates = try PEM.certificates(pem, name: name)
    }

    /// Trusts these very certificates, whatever authority signed them: the first of each text.
    ///
    /// - Parameter chains: PEM texts with their names in errors.
    /// - Throws: `TLSError` of the kind `.configuration` if one has none, or a damaged one.
    public init(firstOf chains: [(pem: [UInt8], name: String)]) throws(TLSError) {
        var certificates: [[UInt8]] = []
        for chain in chains { certificates.append(try PEM.certificates(chain.pem, name: chain.name)[0]) }
        self.certificates = certificates
    }
}
