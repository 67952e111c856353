/// The known word that is nearest to an unknown one.
enum KeySuggestion {
    /// ": did you mean `routes`?", or nothing where no candidate is near.
    static func hint(for word: String, among candidates: some Sequence<String>) -> String {
        guard let nearest = self.nearest(to: word, among: candidates) else { return "" }
        return ": did you mean `\(nearest)`?"
    }

    /// The candidate with the fewest edits, if they are at most a third of the longer word. Of equals it is the first. A
    /// word that begins with the other is one edit away, however much longer it is.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        let word = word.lowercased().replacing("_", with: "-")
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let isBeginning =
                min(word.utf8.count, candidate.utf8.count) >= 3
                && (candidate.hasPrefix(word) || word.hasPrefix(candidate))
            let distance = isBeginning ? 1 : self.distance(Array(word.utf8), Array(candidate.utf8))
            let limit = max(1, max(word.utf8.count, candidate.utf8.count) / 3)
            guard distance <= limit, distance < (best?.distance ?? .max) else { continue }
            best = (candidate, distance)
        }
        return best?.candidate
    }

    /// Edits between two words: insertion, deletion, replacement, and exchange of two neighbours.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for i in 1...left.count {
            var current = [i]
            for j in 1...right.count {
                var best = min(last[j], current[j - 1]) + 1
                best = min(best, last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1))
                if i > 1, j > 1, left[i - 1] == right[j - 2], left[i - 2] == right[j - 1] {
                    best = min(best, beforeLast[j - 2] + 1)
                }
                current.append(best)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
