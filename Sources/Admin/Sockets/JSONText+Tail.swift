internal import DataPlane
internal import HTTP1
internal import Sessions
internal import System
internal import WebSocketProtocol

/// What tails say: one JSON object for each frame.
extension JSONText {
    static func line(of frame: TailedFrame) -> [UInt8] {
        var text = JSONText()
        text.object { $0.frame(frame) }
        return text.bytes
    }

    /// So many frames were left out.
    static func line(skipped count: Int) -> [UInt8] {
        var text = JSONText()
        text.object { $0.member("skipped", count) }
        return text.bytes
    }

    private mutating func frame(_ frame: TailedFrame) {
        self.member("at", WallClock.rfc3339Micros(frame.at))
        self.member("session", frame.session.description)
        self.member("direction", frame.direction.rawValue)
        self.member("opcode", frame.opcode.name)
        self.member("fin", frame.fin)
        self.member("size", frame.size)
        if frame.isGateways { self.member("by", "gateway") }
        if frame.isCompressed { self.member("compressed", true) }
        guard let payload = frame.payload else { return }
        if frame.opcode == .close { self.close(payload, showsReason: frame.showsPayload) }
        guard frame.showsPayload else { return }
        if let text = Self.text(payload, of: frame) {
            self.member("text", text)
        } else {
            self.member("base64", Base64.encoded(payload.span))
        }
        if frame.isCut { self.member("cut", true) }
    }

    /// What a Close says, besides its bytes.
    private mutating func close(_ payload: [UInt8], showsReason: Bool) {
        guard let close = try? CloseFrame(payload: payload.span), let code = close.code else { return }
        self.member("code", code.rawValue)
        if showsReason { self.member("reason", close.reason) }
    }

    /// The payload as text; `nil` if it is none, or begins or ends within a character.
    private static func text(_ payload: [UInt8], of frame: TailedFrame) -> String? {
        guard !frame.isBinary, !frame.isCompressed else { return nil }
        let prefix = UTF8Validator.validPrefix(of: payload.span)
        return prefix.isInvalid || prefix.length < payload.count ? nil : String(decoding: payload, as: UTF8.self)
    }
}

extension Opcode {
    /// As tails name it.
    fileprivate var name: String {
        switch self {
        case .continuation: "continuation"
        case .text: "text"
        case .binary: "binary"
        case .close: "close"
        case .ping: "ping"
        case .pong: "pong"
        }
    }
}
