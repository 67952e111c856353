/// Words for an answer and for the log, some of which a peer chose.
///
/// `"Nothing is served at \(peer: path)."` A peer can choose without end, so what is alike is told by the rest.
package struct Wording: Equatable, Sendable, ExpressibleByStringInterpolation {
    /// All of it.
    package let text: String
    /// With `…` in place of what a peer chose: of such there are as many as the gateway has sentences.
    package let kind: String

    package init(stringLiteral text: String) {
        self.text = text
        self.kind = text
    }

    package init(stringInterpolation parts: StringInterpolation) {
        self.text = parts.text
        self.kind = parts.kind
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""
        fileprivate var kind = ""

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) {
            self.text += literal
            self.kind += literal
        }

        /// Our own words.
        package mutating func appendInterpolation(_ words: String) { self.appendLiteral(words) }

        /// Words that have such of a peer's in them.
        package mutating func appendInterpolation(_ wording: Wording) {
            self.text += wording.text
            self.kind += wording.kind
        }

        /// A peer's, which are made fit to be shown.
        package mutating func appendInterpolation(peer words: String) {
            self.text += shown(words)
            self.kind += "…"
        }
    }
}
