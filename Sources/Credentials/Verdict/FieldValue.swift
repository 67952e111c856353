internal import HTTP1

/// A text as the value of a field that a backend gets.
enum FieldValue {
    /// Why a text would not arrive as it is; `nil` if it would. Control characters could end the field; whitespace at an end is removed by
    /// whatever reads the field (RFC 9110 section 5.5), so that `admin ` would arrive as `admin`.
    static func flaw(of text: String) -> String? {
        let hasControl = text.unicodeScalars.contains { $0.properties.generalCategory == .control }
        if hasControl { return "has control characters" }
        let ends = [text.utf8.first, text.utf8.last]
        return ends.contains { $0?.isWhitespace == true } ? "begins or ends with a space" : nil
    }
}
