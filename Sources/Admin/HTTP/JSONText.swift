internal import Configuration
internal import System

/// Writes JSON (RFC 8259). Foundation's encoder takes ten times as long, which matters for a list of ten thousand sessions.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    /// Whether the next member or element follows another one at this depth.
    private var needsComma = false

    mutating func object(_ key: String? = nil, _ members: (inout JSONText) -> Void) {
        self.nest("{", "}", key, members)
    }

    mutating func array<Elements: Sequence>(
        _ key: String, _ elements: Elements, _ write: (inout JSONText, Elements.Element) -> Void
    ) {
        self.nest("[", "]", key) { text in
            for element in elements { text.object { write(&$0, element) } }
        }
    }

    mutating func strings(_ key: String, _ elements: [String]) {
        self.nest("[", "]", key) { text in
            for element in elements {
                text.begin(nil)
                text.bytes.append(quoted: element)
            }
        }
    }

    mutating func member(_ key: String, _ value: String?) {
        self.begin(key)
        if let value { self.bytes.append(quoted: value) } else { self.append("null") }
    }

    mutating func member(_ key: String, _ value: some BinaryInteger) {
        self.begin(key)
        self.append(String(value))
    }

    mutating func member(_ key: String, _ value: Int?) {
        self.begin(key)
        self.append(value.map(String.init) ?? "null")
    }

    /// A number with one decimal.
    mutating func member(_ key: String, rounded value: Double) {
        self.begin(key)
        let tenths = Int64((value * 10).rounded())
        self.append("\(tenths / 10).\(tenths % 10)")
    }

    mutating func member(_ key: String, _ value: Bool) {
        self.begin(key)
        self.append(value ? "true" : "false")
    }

    /// A number of seconds with a fraction.
    mutating func member(_ key: String, _ value: Duration?) {
        self.begin(key)
        guard let value else { return self.append("null") }
        // Microseconds; more digits would be noise.
        let micros = value.clampedNanoseconds / 1000
        if micros < 0 { self.append("-") }
        let fraction = String(micros.magnitude % 1_000_000)
        self.append(String(micros.magnitude / 1_000_000))
        if fraction != "0" { self.append("." + String(repeating: "0", count: 6 - fraction.utf8.count) + fraction) }
    }

    // MARK: - Parts

    private mutating func nest(
        _ opening: Character, _ closing: Character, _ key: String?, _ body: (inout JSONText) -> Void
    ) {
        self.begin(key)
        self.append(String(opening))
        self.needsComma = false
        body(&self)
        self.append(String(closing))
        self.needsComma = true
    }

    private mutating func begin(_ key: String?) {
        if self.needsComma { self.append(",") }
        self.needsComma = true
        guard let key else { return }
        self.bytes.append(quoted: key)
        self.append(":")
    }

    private mutating func append(_ text: String) { self.bytes.append(contentsOf: text.utf8) }
}
