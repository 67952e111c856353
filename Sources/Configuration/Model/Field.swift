/// Settings that a mapping of the file sets one by one.
protocol KeyedSettings {
    /// The keys with one value, and the properties that hold them.
    static var fields: [Field<Self>] { get }
}

/// A key with one value, and the property of the settings that holds it.
struct Field<Settings>: Sendable {
    let name: String
    /// Reads the text of a value.
    ///
    /// - Returns: What puts the value in its place.
    let read: @Sendable (String) throws(Mistake) -> (inout Settings) -> Void

    init<Value>(_ key: Key<Value>, _ path: any WritableKeyPath<Settings, Value> & Sendable) {
        self.name = key.name
        self.read = { text throws(Mistake) in
            let value = try key.type.read(text)
            return { $0[keyPath: path] = value }
        }
    }

    /// A key without a default: `nil` is its absence.
    init<Value>(_ key: OptionalKey<Value>, _ path: any WritableKeyPath<Settings, Value?> & Sendable) {
        self.name = key.name
        self.read = { text throws(Mistake) in
            let value = try key.type.read(text)
            return { $0[keyPath: path] = value }
        }
    }
}
