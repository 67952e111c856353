/// Certificate authorities whose certificates are accepted from a peer.
package struct TrustedAuthorities: Sendable, Hashable {
    /// DER, in the order of the text.
    let certificates: [[UInt8]]

    /// Reads the certificates of a PEM text.
    ///
    /// - Parameter name: how to call the text in an error: its file.
    /// - Throws: `TLSError` of the kind `.configuration` when there is none, or a damaged one.
    package init(pem: [UInt8], name: String) throws(TLSError) {
        self.certificates = try PEM.certificates(pem, name: name)
    }

    /// - Parameter certificates: DER.
    init(certificates: [[UInt8]]) {
        self.certificates = certificates
    }
}
