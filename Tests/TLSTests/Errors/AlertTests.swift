import COpenSSL
import Testing

@testable import TLS

@Suite struct AlertTests {
    /// RFC 5246 section 7.2.2 and RFC 8446 section 6.2, and the alerts that extensions have added.
    private static let known: [UInt8] = [
        0, 10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 86, 90, 100, 109, 110,
        111, 112,
        113, 114, 115, 116, 120,
    ]

    @Test func `every alert has a name`() {
        for number in Self.known { #expect(!TLSAlert.name(number).contains("number"), "\(number)") }
        #expect(Set(Self.known.map { TLSAlert.name($0) }).count == Self.known.count)
        #expect(TLSAlert.name(116) == "certificate required")
        #expect(TLSAlert.name(46) == "certificate unknown")
        #expect(TLSAlert.name(200) == "number 200")
    }

    /// Every alert for which libssl has a name has the same one here.
    @Test func `the names are those of libssl`() {
        for number in UInt8.min...UInt8.max {
            // Sound: libssl's strings are constants.
            let name = unsafe String(cString: SSL_alert_desc_string_long(Int32(number)))
            guard name != "unknown", number != 46 else { continue }
            #expect(TLSAlert.name(number) == name.replacing("_", with: " "), "\(number)")
        }
    }
}
