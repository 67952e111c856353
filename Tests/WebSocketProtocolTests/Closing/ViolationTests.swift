import Testing
import WebSocketProtocol

@Suite struct ViolationTests {
    @Test(arguments: Violation.allCases)
    func `the close code of a violation fits its kind`(violation: Violation) {
        switch violation.kind {
        case .protocolError: #expect(violation.closeCode == .protocolError)
        case .invalidData: #expect(violation.closeCode == .invalidData)
        case .messageTooBig, .tooManyFragments: #expect(violation.closeCode == .messageTooBig)
        }
        #expect(violation.description.contains("(RFC 6455 ") || violation.description.contains("(RFC 7692 "))
        #expect(violation.description.utf8.count <= CloseFrame.maximumReason)
    }

    @Test func `all descriptions are distinct`() {
        #expect(Set(Violation.allCases.map(\.description)).count == Violation.allCases.count)
    }
}
