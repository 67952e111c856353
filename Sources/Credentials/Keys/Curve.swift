/// An elliptic curve for ECDSA (RFC 7518 section 6.2.1.1). The raw value is its name in a key.
enum Curve: String {
    case p256 = "P-256"
    case p384 = "P-384"
    case p521 = "P-521"

    /// The length of a coordinate, and of half a signature, in bytes.
    var size: Int {
        switch self {
        case .p256: 32
        case .p384: 48
        case .p521: 66
        }
    }
}
