import COpenSSL

/// A version of TLS that we support.
public enum TLSVersion: String, Sendable, CaseIterable {
    /// RFC 5246.
    case v1_2 = "1.2"
    /// RFC 8446.
    case v1_3 = "1.3"

    /// The number on the wire.
    var number: Int32 {
        switch self {
        case .v1_2: TLS1_2_VERSION
        case .v1_3: TLS1_3_VERSION
        }
    }
}
