internal import HTTP1

/// A content coding in which a file may lie beside the file itself.
public enum ContentCoding: String, CaseIterable, Sendable {
    case br
    case gzip

    /// What its file is called, after the name of the file itself.
    public var suffix: String {
        switch self {
        case .br: ".br"
        case .gzip: ".gz"
        }
    }

    /// What the client prefers to the file itself, best first (RFC 9110 section 12.5.3).
    static func accepted(_ fields: HTTPFields) -> [ContentCoding] {
        var weights: [String: Int] = [:]
        for element in fields.elements("Accept-Encoding") {
            let (name, weight) = self.weighted(element)
            weights[name == "x-gzip" ? "gzip" : name] = weight
        }
        guard !weights.isEmpty else { return [] }
        let least = max(1, weights["identity"] ?? 1)
        let accepted = self.allCases.compactMap { coding -> (coding: ContentCoding, weight: Int)? in
            let weight = weights[coding.rawValue] ?? weights["*"] ?? 0
            return weight >= least ? (coding, weight) : nil
        }
        // Of two that are equally good the shorter one, which is first in `allCases`: this sort keeps their order.
        return accepted.sorted { $0.weight > $1.weight }.map(\.coding)
    }

    /// The name in lower case, and its quality value in thousandths; 0 for one that cannot be read.
    static func weighted(_ element: String) -> (name: String, weight: Int) {
        let parts = element.split(separator: ";").map { Self.trimmed($0) }
        let name = parts.first.map { $0.asciiLowercased } ?? ""
        guard let parameter = parts.dropFirst().first(where: { $0.asciiLowercased.hasPrefix("q=") }) else {
            return (name, 1000)
        }
        return (name, self.thousandths(parameter.dropFirst(2)) ?? 0)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.utf8
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return Substring(text)
    }

    /// `0`, `1`, and up to three digits after a dot.
    private static func thousandths(_ text: Substring) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let digits = parts.count == 2 ? String(parts[1]) : ""
        guard let whole = parts.first, whole == "0" || whole == "1", digits.utf8.count <= 3,
            digits.utf8.allSatisfy(\.isDigit),
            let rest = Int(digits + String(repeating: "0", count: 3 - digits.utf8.count))
        else { return nil }
        let value = (whole == "1" ? 1000 : 0) + rest
        return value <= 1000 ? value : nil
    }
}
