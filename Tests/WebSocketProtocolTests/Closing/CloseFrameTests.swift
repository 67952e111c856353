import Testing
import WebSocketProtocol

@Suite struct CloseFrameTests {
    @Test(arguments: [1000, 1001, 1002, 1003, 1007, 1014, 3000, 3999, 4000, 4999] as [UInt16])
    func `some codes may go on the wire`(code: UInt16) throws {
        let code = CloseCode(rawValue: code)
        #expect(code.isAllowedOnWire)
        let payload = CloseFrame(code: code, reason: "going home é").encodedPayload
        #expect(try CloseFrame(payload: payload.span) == CloseFrame(code: code, reason: "going home é"))
    }

    @Test(arguments: [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535] as [UInt16])
    func `other codes must not go on the wire`(code: UInt16) {
        #expect(!CloseCode(rawValue: code).isAllowedOnWire)
        #expect(CloseFrame(code: CloseCode(rawValue: code), reason: "x").encodedPayload == [])
        let payload = [UInt8(code >> 8), UInt8(code & 0xFF)]
        #expect(throws: Violation.badCloseCode) { try CloseFrame(payload: payload.span) }
    }

    @Test func `labels are bounded`() {
        let labels = Set((UInt16.min...UInt16.max).map { CloseCode(rawValue: $0).label })
        #expect(labels.count == 4 + 11 + 3)
        #expect(CloseCode.normal.label == "1000")
        #expect(CloseCode(rawValue: 3123).label == "3xxx")
        #expect(CloseCode(rawValue: 4999).label == "4xxx")
        #expect(CloseCode(rawValue: 1004).label == "other")
        #expect(CloseCode(rawValue: 5000).label == "other")
        #expect("\(CloseCode(rawValue: 1014))" == "1014")
    }

    @Test func `an empty payload means no code`() throws {
        let empty: [UInt8] = []
        #expect(try CloseFrame(payload: empty.span) == CloseFrame(code: nil))
        #expect(CloseFrame(code: nil, reason: "lost").reason == "")
        #expect(Frame.close(nil) == [0x88, 0x00])
    }

    @Test(
        arguments: [
            ([0x03], .badClosePayload), ([0x03, 0xE8, 0xFF], .invalidUTF8), ([0x03, 0xE8, 0xC3], .invalidUTF8),
            ([0x03, 0xED], .badCloseCode),
        ] as [([UInt8], Violation)])
    func `a bad payload is a violation`(payload: [UInt8], violation: Violation) {
        #expect(throws: violation) { try CloseFrame(payload: payload.span) }
    }

    @Test func `a long reason is cut between characters`() throws {
        for character in ["a", "é", "€", "😀"] {
            for padding in 0..<4 {
                let reason = String(repeating: "-", count: padding) + String(repeating: character, count: 130)
                let payload = CloseFrame(code: .normal, reason: reason).encodedPayload
                #expect(payload.count <= 125)
                #expect(payload.count + character.utf8.count > 125)
                #expect(reason.hasPrefix(try CloseFrame(payload: payload.span).reason))
            }
        }
        let exact = String(repeating: "a", count: CloseFrame.maximumReason)
        #expect(CloseFrame(code: .normal, reason: exact).encodedPayload.count == 125)
    }

    @Test func `a close frame is encoded with its code and reason`() {
        #expect(Frame.close(.normal) == [0x88, 0x02, 0x03, 0xE8])
        #expect(Frame.close(.normal, reason: "ok") == [0x88, 0x04, 0x03, 0xE8, 0x6F, 0x6B])
        // RFC 6455 section 5.7.
        #expect(Frame.text("Hello") == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
        #expect(
            Frame.text("Hello", maskingKey: someKey)
                == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
        #expect(Frame.ping(Array("Hello".utf8)) == [0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
        #expect(
            Frame.pong(Array("Hello".utf8), maskingKey: someKey)
                == [0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
        #expect(Frame.binary([UInt8](repeating: 0, count: 256)).prefix(4) == [0x82, 0x7E, 0x01, 0x00])
        #expect(Frame.binary([UInt8](repeating: 0, count: 65536)).prefix(10) == [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0])
    }
}
