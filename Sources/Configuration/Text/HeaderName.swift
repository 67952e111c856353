internal import HTTP1

/// The name of a header field, as servers may read it.
public enum HeaderName {
    /// In lower case, with `-` for `_` and `.`: many servers turn all three into one (CGI's `HTTP_X_USER`), so that a client could send
    /// `X_User` where `X-User` is taken from it.
    public static func folded(_ name: some StringProtocol) -> String {
        String(
            decoding: name.utf8.map { "_.".utf8.contains($0) ? UInt8(ascii: "-") : $0.asciiLowercased }, as: UTF8.self)
    }
}
