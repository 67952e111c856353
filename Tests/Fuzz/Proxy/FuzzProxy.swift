import Configuration
import Fuzzing
import ProxyProtocol

/// A PROXY header gives the same result whole or in pieces, takes all bytes as long as it goes on, and what is read can be written.
@main
enum FuzzProxy {
    static func main() {
        fuzz { bytes in
            var choices = Choices(bytes)
            let sizes = choices.bytes(2)
            let input = choices.rest()

            let whole = self.read([input[...]])
            let pieces = self.read(Choices.pieces(of: input, sizes: sizes))
            expect(pieces.progress == whole.progress, "a header depends on the pieces")
            expect(pieces.taken == whole.taken, "where a header ends depends on the pieces")
            expect(whole.progress != .more || whole.taken == input.count, "a header that goes on leaves bytes")
            guard case .header(let header) = whole.progress else { return }
            for version in ProxyProtocolVersion.allCases { self.checkWritten(header, version) }
        }
    }

    private static func read(
        _ pieces: [ArraySlice<UInt8>]
    ) -> (progress: ProxyHeaderReader.Progress, taken: Int) {
        var reader = ProxyHeaderReader()
        var taken = 0
        for piece in pieces {
            var index = 0
            let progress = reader.read(piece.span, from: &index)
            taken += index
            if progress != .more { return (progress, taken) }
        }
        return (.more, taken)
    }

    private static func checkWritten(_ header: ProxyHeader, _ version: ProxyProtocolVersion) {
        let written = header.bytes(version)
        let again = self.read([written[...]])
        expect(again.taken == written.count, "a written header has another end")
        guard case .addresses = header else { return }
        expect(again.progress == .header(header), "a written header says something else")
    }
}
