import Fuzzing
import WebSocketProtocol

/// The frame reader sees the same under any rules, whole or in pieces, walked or read; and so does an onlooker.
@main
enum FuzzFrames {
    static func main() {
        fuzz { bytes in
            var choices = Choices(bytes)
            let flags = choices.byte()
            let rules = FrameReader.Rules(
                expectsMask: flags & 1 != 0, allowsCompression: flags & 2 != 0,
                maximumMessage: choices.pick([0, 1, 125, 126, 1000, 65536, .max]),
                maximumFragments: choices.pick([0, 1, 2, 7, .max]))
            let sizes = choices.bytes(4)
            let input = choices.rest()

            let whole = Walker.walk([input[...]], rules)
            let walked = Walker.walk(Choices.pieces(of: input, sizes: sizes), rules)
            expect(whole == walked, "a walk depends on the pieces")
            expect(input.starts(with: whole.forwarded), "what was forwarded is not what came")
            expect(whole.violation != nil || whole.forwarded.count + whole.held == input.count, "bytes are missing")

            let heard = Endpoint.hear([input[...]], rules)
            let heardInPieces = Endpoint.hear(Choices.pieces(of: input, sizes: sizes), rules)
            expect(heard == heardInPieces, "an endpoint hears what depends on the pieces")
            // A walk does not check text.
            if !heard.hasBadText {
                expect(heard.violation == whole.violation, "walk and next find different violations")
                expect(heard.tally == whole.tally, "walk and next count differently")
                expect(heard.controls == whole.controls, "walk and next see different control frames")
            }
            let seen = Onlooker.watch([input[...]])
            expect(
                seen == Onlooker.watch(Choices.pieces(of: input, sizes: sizes)),
                "an onlooker sees what depends on the pieces")
            if heard.violation == nil {
                expect(seen.controls == heard.controls, "an onlooker sees other control frames")
            }
            for message in heard.messages {
                expect(rules.maximumMessage == 0 || message.payload.count <= rules.maximumMessage, "over the limit")
            }
        }
    }
}

/// A control frame and its payload.
struct Control: Equatable {
    var opcode: Opcode
    var payload: [UInt8]
}
