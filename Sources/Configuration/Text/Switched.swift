/// The value of a key that can be `off`.
enum Switched<Value> {
    case off
    case on(Value)

    /// What is on; `nil` where it is off.
    var value: Value? {
        switch self {
        case .off: nil
        case .on(let value): value
        }
    }

    /// A reader for `off`, a zero of any unit, or what another reader takes.
    static func reader(
        _ read: @escaping (String) throws(Mistake) -> Value
    ) -> (String) throws(Mistake) -> Self {
        { text throws(Mistake) in
            guard !["off", "0", "0ms", "0s", "0m", "0h", "0/s"].contains(text) else { return .off }
            do throws(Mistake) {
                return .on(try read(text))
            } catch {
                throw Mistake(error.problem + self.hint(for: text))
            }
        }
    }

    /// ": did you mean `off`?" for other words that say so.
    static func hint(for text: String) -> String {
        ["false", "no", "never", "none", "disabled", "0", "OFF", "Off"].contains(text) ? ": did you mean `off`?" : ""
    }
}
