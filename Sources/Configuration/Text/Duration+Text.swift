extension Duration {
    /// As the configuration writes it: `24h`, `2s`, `250ms`.
    public var shown: String {
        let (seconds, attoseconds) = self.components
        guard attoseconds == 0 else { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms" }
        return seconds > 0 && seconds % 3600 == 0 ? "\(seconds / 3600)h" : "\(seconds)s"
    }
}
