/// The names of the alerts of TLS 1.2 and 1.3 (RFC 5246 section 7.2, RFC 8446 section 6, and IANA's registry). libssl's own
/// list lacks those that are new in TLS 1.3.
enum TLSAlert {
    /// The name as libssl writes it, or the number if it has no name.
    static func name(_ number: UInt8) -> String { self.names[number] ?? "number \(number)" }

    private static let names: [UInt8: String] = [
        0: "close notify",
        10: "unexpected message",
        20: "bad record mac",
        21: "decryption failed",
        22: "record overflow",
        30: "decompression failure",
        40: "handshake failure",
        41: "no certificate",
        42: "bad certificate",
        43: "unsupported certificate",
        44: "certificate revoked",
        45: "certificate expired",
        46: "certificate unknown",
        47: "illegal parameter",
        48: "unknown CA",
        49: "access denied",
        50: "decode error",
        51: "decrypt error",
        52: "too many CIDs requested",
        60: "export restriction",
        70: "protocol version",
        71: "insufficient security",
        80: "internal error",
        86: "inappropriate fallback",
        90: "user canceled",
        100: "no renegotiation",
        109: "missing extension",
        110: "unsupported extension",
        111: "certificate unobtainable",
        112: "unrecognized name",
        113: "bad certificate status response",
        114: "bad certificate hash value",
        115: "unknown PSK identity",
        116: "certificate required",
        117: "general error",
        120: "no application protocol",
        121: "ECH required",
    ]
}
