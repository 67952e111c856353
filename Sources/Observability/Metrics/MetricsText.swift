/// Writes metrics in the text format of Prometheus, version 0.0.4.
public enum MetricsText {
    /// The value of Content-Type for this format.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// All metrics, each line with a newline at its end.
    public static func text(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(self.escaped(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples { self.append(sample, of: family.name, to: &text) }
        }
        return text
    }

    private static func append(_ sample: MetricFamily.Sample, of name: String, to text: inout String) {
        switch sample.value {
        case .number(let number): self.append(name, sample.labels, self.text(number), to: &text)
        case .histogram(let buckets, let sum):
            for (bound, count) in buckets {
                let labels = sample.labels + [MetricFamily.Label("le", self.text(bound))]
                self.append(name + "_bucket", labels, String(count), to: &text)
            }
            self.append(name + "_sum", sample.labels, self.text(sum), to: &text)
            self.append(name + "_count", sample.labels, String(buckets.last?.count ?? 0), to: &text)
        }
    }

    private static func append(
        _ name: String, _ labels: [MetricFamily.Label], _ value: String, to text: inout String
    ) {
        text += name
        if !labels.isEmpty {
            let written = labels.map { "\($0.name)=\"\(self.escaped($0.value, quotes: true))\"" }
            text += "{\(written.joined(separator: ","))}"
        }
        text += " \(value)\n"
    }

    /// A number as Go's ParseFloat reads it, without a fraction if it is whole.
    private static func text(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number > 0 ? "+Inf" : "-Inf" }
        // Whole numbers below 2^53 are exact.
        guard number.magnitude < 0x1p53, number == number.rounded() else { return "\(number)" }
        return String(Int64(number))
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        let isPlain = text.utf8.allSatisfy {
            $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\"")
        }
        guard !isPlain else { return text }
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
