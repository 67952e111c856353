internal import HTTP1

/// A value that a peer sent, made fit to stand in an answer or a sentence of the log: visible ASCII and not too long.
func shown(_ value: String) -> String {
    let most = 200
    let text = value.utf8.prefix(most).map { $0.isVisible ? $0 : UInt8(ascii: "?") }
    guard !text.isEmpty else { return "(empty)" }
    return String(decoding: text, as: UTF8.self) + (value.utf8.count > most ? "…" : "")
}
