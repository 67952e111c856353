import Credentials
import Fuzzing
import HTTP1
import WebSocketProtocol

@testable import Admission
@testable import ControlPlane

/// A backend's answer to the opening handshake gives the same result whole or in pieces, and no upgrade without the right accept value. So does
/// the answer of a server that is asked for keys, and it is no longer than it may be.
@main
enum FuzzResponse {
    private static let key = "dGhlIHNhbXBsZSBub25jZQ=="
    private static let accept = Array("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".utf8)

    static func main() {
        fuzz { bytes in
            var choices = Choices(bytes)
            let flags = choices.byte()
            let sizes = choices.bytes(2)
            let input = choices.rest()

            var parser = ResponseHeadParser()
            if case .head(let head, let length) = parser.parse(input.span) {
                expect(length <= input.count && (100...999).contains(head.status), "a head that cannot be")
            }

            if flags & 8 != 0 { return self.checkKeys(input, sizes) }
            let whole = self.answer([input[...]], flags)
            let inPieces = self.answer(Choices.pieces(of: input, sizes: sizes), flags)
            expect(whole == inPieces, "an answer depends on the pieces: \(whole) and \(inPieces)")
            switch whole {
            case .incomplete: expect(false, "no answer after the end")
            case .bad(let why): expect(!why.isEmpty, "bad without a reason")
            case .refused(let answer):
                expect((300..<600).contains(answer.status), "refused with \(answer.status)")
                expect(answer.body.count <= 64 << 10, "a refusal of \(answer.body.count) bytes")
            case .passed: expect(false, "passed on, and nobody asked for that")
            case .accepted(let accepted):
                expect((0...input.count).contains(accepted.length), "an upgrade longer than what came")
                let head = input[..<accepted.length]
                expect(head.suffix(4).elementsEqual("\r\n\r\n".utf8), "an upgrade that does not end a head")
                expect(self.contains(head, self.accept), "an upgrade without the accept value")
                expect(accepted.subprotocol.map { ["a", "b"].contains($0) } ?? true, "a subprotocol of no offer")
                expect(accepted.extensions == nil || flags & 4 != 0, "an extension of no offer")
                expect(accepted.subprotocol != nil || flags & 2 == 0, "no subprotocol")
            }
        }
    }

    /// The outcome, with its length counted from the beginning.
    private static func answer(_ pieces: [ArraySlice<UInt8>], _ flags: UInt8) -> BackendHandshake.Outcome {
        var handshake = BackendHandshake(
            key: self.key, offeredSubprotocols: flags & 1 != 0 ? ["a", "b"] : [], requiresSubprotocol: flags & 2 != 0,
            compressionOffers: flags & 4 != 0
                ? [ExtensionElement(name: "permessage-deflate", parameters: [.init(name: "client_max_window_bits")])]
                : []
        )
        var received = 0
        for piece in pieces {
            switch handshake.received(Array(piece).span) {
            case .incomplete: received += piece.count
            case .accepted(var accepted):
                expect((0...piece.count).contains(accepted.length), "an upgrade that ends in another piece")
                accepted.length += received
                return .accepted(accepted)
            case let outcome: return outcome
            }
        }
        return handshake.receivedEOF()
    }

    private static func checkKeys(_ input: [UInt8], _ sizes: [UInt8]) {
        let whole = self.keys([input[...]])
        expect(self.keys(Choices.pieces(of: input, sizes: sizes)) == whole, "an answer depends on the pieces")
        switch whole {
        case .incomplete: expect(false, "no answer after the end")
        case .refused(let why): expect(!why.isEmpty, "refused without a reason")
        case .whole(let content): expect(content.bytes.count <= KeySet.mostBytes, "too long")
        }
    }

    private static func keys(_ pieces: [ArraySlice<UInt8>]) -> KeyAnswer.Progress {
        var answer = KeyAnswer()
        for piece in pieces {
            let progress = answer.received(Array(piece).span)
            if progress != .incomplete { return progress }
        }
        return answer.receivedEOF()
    }

    private static func contains(_ bytes: ArraySlice<UInt8>, _ wanted: [UInt8]) -> Bool {
        bytes.indices.contains { bytes[$0...].starts(with: wanted) }
    }
}
