/// The value of a key that can be `off`.
enum Switched<Value> {
    case off
    case on(Value)

    /// The value; `nil` where it is off.
    var value: Value? {
        switch self {
        case .off: nil
        case .on(let value): value
        }
    }

    /// A reader for `off`, a zero of any unit, or what another reader takes.
    static func reader(
        _ read: @escaping @Sendable (String) throws(Mistake) -> Value
    ) -> @Sendable (String) throws(Mistake) -> Self {
        { text throws(Mistake) in
            guard !["off", "0", "0ms", "0s", "0m", "0h", "0/s"].contains(text) else { return .off }
            guard !self.meansOff(text) else { throw Mistake("is switched off with `off`, not with `\(text)`") }
            return .on(try read(text))
        }
    }

    /// Whether a text is another word for `off`.
    static func meansOff(_ text: String) -> Bool {
        ["0", "false", "no", "none", "never", "disabled"].contains(text.lowercased())
    }
}
