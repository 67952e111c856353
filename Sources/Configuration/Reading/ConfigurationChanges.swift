/// How a configuration differs from another one, line by line, as both may be shown.
public enum ConfigurationChanges {
    /// Where more lines than this lie between the first change and the last one, they are all given: to compare them would take too long.
    private static let mostCompared = 1000

    /// The lines that are gone, each behind `- `, and the new ones behind `+ `, in their order. Secrets are left out of both, so that a change of
    /// only those shows no line.
    ///
    /// - Parameters:
    ///   - old: the bytes of the file in force.
    ///   - new: the bytes of the file that is to replace it. Both were read without mistakes.
    public static func lines(from old: [UInt8], to new: [UInt8]) -> [String] {
        self.lines(from: ShownConfiguration.text(of: old), to: ShownConfiguration.text(of: new))
    }

    static func lines(from old: String, to new: String) -> [String] {
        var (old, new) = (old.split(separator: "\n")[...], new.split(separator: "\n")[...])
        while let first = old.first, first == new.first {
            old.removeFirst()
            new.removeFirst()
        }
        while let last = old.last, last == new.last {
            old.removeLast()
            new.removeLast()
        }
        guard old.count + new.count <= self.mostCompared else {
            return old.map { "- \($0)" } + new.map { "+ \($0)" }
        }
        let difference = Array(new).difference(from: Array(old))
        let gone = Set(difference.removals.map(\.offset))
        let added = Set(difference.insertions.map(\.offset))
        var lines: [String] = []
        var position = 0
        for (index, line) in old.enumerated() {
            guard !gone.contains(index) else {
                lines.append("- \(line)")
                continue
            }
            // What is new stands behind what it replaces.
            while added.contains(position) {
                lines.append("+ \(new[new.startIndex + position])")
                position += 1
            }
            position += 1
        }
        return lines + new.dropFirst(position).map { "+ \($0)" }
    }
}

extension CollectionDifference.Change {
    fileprivate var offset: Int {
        switch self {
        case .insert(let offset, _, _), .remove(let offset, _, _): offset
        }
    }
}
