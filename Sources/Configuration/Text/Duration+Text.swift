extension Duration {
    /// As the configuration writes it: `2s`, `250ms`.
    package var shown: String {
        let (seconds, attoseconds) = self.components
        return attoseconds == 0 ? "\(seconds)s" : "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms"
    }
}
