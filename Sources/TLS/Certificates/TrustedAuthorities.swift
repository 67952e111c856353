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
}
