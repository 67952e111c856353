internal import Glibc

/// Rendezvous hashing: every contender has a score for the key, and the highest one wins. A contender that leaves moves only
/// its own keys, and a change of weight moves only the difference.
enum Rendezvous {
    /// The index of the candidate for `key`.
    static func place(of key: UInt64, among contenders: [EndpointChoice.Contender]) -> Int {
        var best = contenders[0]
        var highest = self.score(of: best, for: key)
        for contender in contenders.dropFirst() {
            let score = self.score(of: contender, for: key)
            if score > highest { (best, highest) = (contender, score) }
        }
        return best.index
    }

    /// -w / ln h, with h uniform in 0..<1: the chance of having the highest score is in proportion to w.
    private static func score(of contender: EndpointChoice.Contender, for key: UInt64) -> Double {
        let hash = StableHash.mix(key ^ StableHash.mix(contender.identity))
        // 52 bits and a half, so that it is never 0 or 1: their logarithms cannot be divided by.
        let point = (Double(hash >> 12) + 0.5) / Double(UInt64(1) << 52)
        return -contender.weight / log(point)
    }
}
