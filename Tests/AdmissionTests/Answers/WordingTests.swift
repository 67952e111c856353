import HTTP1
import Testing

@testable import Admission

@Suite struct WordingTests {
    @Test func `a peer's own words do not make another kind of refusal`() {
        let wording: Wording = "The Origin \(peer: "https://\u{1}é") is not allowed \("here")."
        #expect(wording.text == "The Origin https://??? is not allowed here.")
        #expect(wording.kind == "The Origin … is not allowed here.")
        #expect(Wording(stringLiteral: "Plain.").kind == "Plain.")
    }

    @Test func `refusals of one kind are alike`() {
        let kinds = ["/nowhere", "/nobody", "/%41"].map { decide($0).refusal?.kind }
        #expect(kinds == Array(repeating: "Nothing is served at ….", count: 3))
        #expect(decide("/echo", method: "BREW").refusal?.kind == "The method … is not allowed here.")
        let versions = ["12", "", "x"].map {
            decide("/echo", upgradeFields(["Sec-WebSocket-Version": $0], without: ["Sec-WebSocket-Version"])).refusal?
                .kind
        }
        #expect(versions == Array(repeating: "The WebSocket version … is not spoken here.", count: 3))
        #expect(
            Refusal.connectFailed("a: refused", routeIndex: 0).kind
                == Refusal.connectFailed("b: timed out", routeIndex: 0).kind)
    }
}
