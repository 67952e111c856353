internal import FoundationEssentials

/// One line of a tail, as the admin address says it.
struct TailLine: Decodable {
    var at: String?
    var session: String?
    var direction: String?
    var opcode: String?
    var fin: Bool?
    var size: Int?
    /// `gateway` if the gateway made it itself.
    var by: String?
    var compressed: Bool?
    var text: String?
    var base64: String?
    var cut: Bool?
    var code: Int?
    var reason: String?
    /// So many frames were left out; then there is nothing else.
    var skipped: Int?

    /// - Throws: if it is not what a gateway says.
    init(_ message: [UInt8]) throws {
        self = try JSONDecoder().decode(TailLine.self, from: Data(message))
    }

    var isPingOrPong: Bool { self.opcode == "ping" || self.opcode == "pong" }

    /// The payload, as far as it is shown.
    var payload: [UInt8] {
        if let text = self.text { return Array(text.utf8) }
        return self.base64.flatMap { Data(base64Encoded: $0) }.map { [UInt8]($0) } ?? []
    }
}
