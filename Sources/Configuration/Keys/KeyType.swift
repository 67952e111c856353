/// The type of a key with one value: how its text is read, and what the schema says of it.
struct KeyType<Value: Sendable>: Sendable {
    /// Reads the text of a value.
    let read: @Sendable (String) throws(Mistake) -> Value
    /// The bounds of the value, as in `1ms to 24h`; `nil`: it has none, or `schema` has them.
    let bounds: String?
    let schema: JSON
    /// Whether the value may be shown to no one.
    var isSecret = false

    init(
        schema: JSON, bounds: String? = nil, read: @escaping @Sendable (String) throws(Mistake) -> Value
    ) {
        self.read = read
        self.bounds = bounds
        self.schema = schema
    }

    /// Text that the schema cannot describe further.
    static func text(_ read: @escaping @Sendable (String) throws(Mistake) -> Value) -> Self {
        Self(schema: ["type": "string"], read: read)
    }

    /// The same type with `off`, which is read as `nil`.
    var orOff: KeyType<Value?> {
        let read = Switched.reader(self.read)
        return KeyType<Value?>(schema: ["anyOf": [["enum": ["off", 0]], self.schema]], bounds: self.bounds) {
            text throws(Mistake) in try read(text).value
        }
    }
}

extension KeyType where Value: RawRepresentable<String> & CaseIterable {
    /// One of the words of an enum.
    static var word: Self {
        let words = Value.allCases.map(\.rawValue)
        // YAML takes a word such as `1.2` for a number, unless it is quoted.
        let numbers = words.filter { Double($0) != nil }
        let choices = words.map { JSON.string($0) } + numbers.map { .number($0) }
        return Self(schema: ["anyOf": [["enum": .array(choices)], .variable]], read: Word.of(Value.self))
    }
}

extension KeyType<Bool> {
    static var truth: Self { Self(schema: .reference("truth")) { text throws(Mistake) in try Word.truth(text) } }
}

extension KeyType<Int> {
    static func count(_ range: ClosedRange<Int>) -> Self {
        Self(schema: ["anyOf": [.integer(in: range), .variable]], read: Quantity.count(range))
    }
}

extension KeyType<Int?> {
    /// `auto`, which is read as `nil`, or a number.
    static func auto(or range: ClosedRange<Int>) -> Self {
        let count = Quantity.count(range, or: "auto")
        return Self(schema: ["anyOf": [["const": "auto"], .integer(in: range), .variable]]) { text throws(Mistake) in
            text == "auto" ? nil : try count(text)
        }
    }
}

extension KeyType<ByteCount?> {
    /// `auto`, which is read as `nil`, or a size.
    static func auto(or range: ClosedRange<ByteCount>) -> Self {
        let size = KeyType<ByteCount>.size(range)
        return Self(schema: ["anyOf": [["const": "auto"], size.schema]], bounds: size.bounds) { text throws(Mistake) in
            text == "auto" ? nil : try size.read(text)
        }
    }
}

extension KeyType<Duration> {
    static func duration(_ range: ClosedRange<Duration>) -> Self {
        let bounds = "\(range.lowerBound.shown) to \(range.upperBound.shown)"
        return Self(schema: .reference("duration"), bounds: bounds, read: Quantity.duration(range))
    }
}

extension KeyType<ByteCount> {
    static func size(_ range: ClosedRange<ByteCount>) -> Self {
        let bounds = "\(range.lowerBound) to \(range.upperBound)"
        return Self(schema: .reference("size"), bounds: bounds, read: Quantity.size(range))
    }
}

extension KeyType<Double> {
    /// A rate per second.
    static func rate(_ range: ClosedRange<Double>) -> Self {
        let bounds = "\(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound))"
        return Self(schema: .reference("rate"), bounds: bounds, read: Quantity.rate(range))
    }
}

extension KeyType<String> {
    /// The path of a file.
    static var file: Self { .text { text throws(Mistake) in try Word.path(text) } }
    /// A name that stands in logs.
    static var name: Self { .text { text throws(Mistake) in try Word.name(text) } }
    static var subprotocol: Self { .text { text throws(Mistake) in try Word.subprotocol(text) } }
    static var hostName: Self { .text { text throws(Mistake) in try HostName.canonical(text) } }
    static var hostPattern: Self { .text { text throws(Mistake) in try HostPattern(parsing: text).description } }
    /// Text that no message shows.
    static var secret: Self {
        var type = Self.text { text throws(Mistake) in try Word.secret(text) }
        type.isSecret = true
        return type
    }
    /// Path and query of a request.
    static var target: Self { .text { text throws(Mistake) in try Word.target(text) } }
    /// A host, with or without a port.
    static var authority: Self { .text { text throws(Mistake) in try Word.authority(text) } }
    /// Text that depends on other keys: the section's reader reads it.
    static var unread: Self { .text { $0 } }
}

extension KeyType<UInt16> {
    /// The permissions of a file.
    static var mode: Self {
        Self(schema: ["type": "string", "pattern": "^(0?[0-7]{3}|.*\\$\\{.*)$"]) { text throws(Mistake) in
            try Word.mode(text)
        }
    }
}

extension KeyType<Address> {
    static var listenAddress: Self { .text { text throws(Mistake) in try Address(parsing: text, for: .listen) } }
}

extension JSON {
    static func reference(_ definition: String) -> JSON { ["$ref": .string("#/definitions/\(definition)")] }

    /// A value that has a `${NAME}`.
    static let variable = JSON.reference("variable")

    static func integer(in range: ClosedRange<Int>) -> JSON {
        ["type": "integer", "minimum": .number("\(range.lowerBound)"), "maximum": .number("\(range.upperBound)")]
    }
}
