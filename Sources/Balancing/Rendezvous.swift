internal import Glibc

/// Rendezvous hashing: every contender draws a number for the key, and the highest has it. Who leaves moves only the keys
/// it had, and a weight that changes moves only the difference.
enum Rendezvous {
    /// The index of the contender that has `key`.
    static func place(of key: UInt64, among contenders: [Contender]) -> Int {
        var best = contenders[0]
        var highest = self.score(of: best, for: key)
        for contender in contenders.dropFirst() {
            let score = self.score(of: contender, for: key)
            if score > highest { (best, highest) = (contender, score) }
        }
        return best.index
    }

    /// -w / ln h, with h evenly in 0..<1: the highest one of several is each one's with a chance in proportion to its w.
    private static func score(of contender: Contender, for key: UInt64) -> Double {
        let hash = StableHash.mix(key ^ StableHash.mix(contender.identity))
        // 52 bits and a half: neither 0 nor 1, whose logarithms have no place in a quotient.
        let point = (Double(hash >> 12) + 0.5) / Double(UInt64(1) << 52)
        return -contender.weight / log(point)
    }
}
