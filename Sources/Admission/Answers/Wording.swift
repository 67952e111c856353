internal import HTTP1

/// Text for an answer and for the log that may quote a peer.
///
/// `"Nothing is served at \(peer: path)."` A peer can send any number of different texts, so `kind`
/// leaves them out: texts that differ only in quotes are of one kind.
struct Wording: Equatable, Sendable, ExpressibleByStringInterpolation {
    /// All of it.
    let text: String
    /// With `…` in place of each quote: there are only as many kinds as the gateway has sentences.
    let kind: String

    init(stringLiteral text: String) {
        self.text = text
        self.kind = text
    }

    init(stringInterpolation parts: StringInterpolation) {
        self.text = parts.text
        self.kind = parts.kind
    }

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var kind = ""

        init(literalCapacity: Int, interpolationCount: Int) {}

        mutating func appendLiteral(_ literal: String) {
            self.text += literal
            self.kind += literal
        }

        /// Our own words.
        mutating func appendInterpolation(_ words: String) { self.appendLiteral(words) }

        /// Text that may itself quote a peer.
        mutating func appendInterpolation(_ wording: Wording) {
            self.text += wording.text
            self.kind += wording.kind
        }

        /// A sentence that may itself quote a peer, likewise.
        mutating func appendInterpolation(reason words: String) {
            self.text += shown(words, keepsSpaces: true)
            self.kind += "…"
        }

        /// A quote of a peer, made fit to be shown.
        mutating func appendInterpolation(peer words: String) {
            self.text += shown(words)
            self.kind += "…"
        }
    }
}

/// A value that a peer sent, made fit to stand in an answer or a sentence of the log: visible ASCII and not too long.
///
/// - Parameter keepsSpaces: it may be several words.
func shown(_ value: String, keepsSpaces: Bool = false) -> String {
    let most = 200
    let text = value.utf8.prefix(most).map {
        $0.isVisible || keepsSpaces && $0 == .space ? $0 : UInt8(ascii: "?")
    }
    guard !text.isEmpty else { return "(empty)" }
    return String(decoding: text, as: UTF8.self) + (value.utf8.count > most ? "…" : "")
}
