internal import Configuration

/// The routes of one host by their paths.
struct PathTable: Sendable {
    /// The first route of each path.
    private var exact: [String: Int] = [:]
    /// By the prefix, with its closing slash.
    private var subtrees: [Substring: Int] = [:]
    /// The lengths of the prefixes, ascending: a long path with many slashes costs no more than there are lengths.
    private var prefixLengths: [Int] = []

    init() {}

    mutating func add(_ path: PathPattern, route: Int) {
        switch path {
        case .exact(let path): if self.exact[path] == nil { self.exact[path] = route }
        case .subtree(let prefix):
            guard self.subtrees[prefix[...]] == nil else { return }
            self.subtrees[prefix[...]] = route
            let length = prefix.utf8.count
            let place = self.prefixLengths.firstIndex { $0 >= length } ?? self.prefixLengths.count
            let isKnown = place < self.prefixLengths.count && self.prefixLengths[place] == length
            if !isKnown { self.prefixLengths.insert(length, at: place) }
        }
    }

    /// The first route for a path.
    func first(_ path: String) -> Int? {
        var first = FirstRoute(self.exact[path])
        for length in self.prefixLengths {
            guard length <= path.utf8.count else { break }
            let end = path.utf8.index(path.startIndex, offsetBy: length)
            guard path.utf8[path.utf8.index(before: end)] == UInt8(ascii: "/") else { continue }
            first.take(self.subtrees[path[..<end]])
        }
        return first.index
    }
}
