internal import HTTP1

/// The name of a header field, as servers may read it.
public enum HeaderName {
    /// In lower case, with `-` for `_` and `.`: many servers turn all three into one (CGI's `HTTP_X_USER`), so that a client could send
    /// `X_User` where `X-User` is taken from it.
    public static func folded(_ name: String) -> String {
        String(decoding: name.utf8.map(self.folded), as: UTF8.self)
    }

    /// A byte of it.
    public static func folded(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "_"), UInt8(ascii: "."): UInt8(ascii: "-")
        default: byte.asciiLowercased
        }
    }
}
