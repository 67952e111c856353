extension StringProtocol {
    /// Without the whitespace at both ends.
    public var trimmed: String {
        let start = self.drop(while: \.isWhitespace)
        return String(start.lastIndex { !$0.isWhitespace }.map { start[...$0] } ?? "")
    }
}
