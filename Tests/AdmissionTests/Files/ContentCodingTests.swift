import HTTP1
import Testing

@testable import Admission

@Suite struct ContentCodingTests {
    @Test(
        arguments: [
            (nil, []), ("", []), ("identity", []), ("deflate", []), ("gzip", [.gzip]), ("x-gzip", [.gzip]),
            ("br", [.br]),
            ("gzip, br", [.br, .gzip]), ("GZIP ; Q=0.9 , br;q=0.8", [.gzip, .br]), ("br;q=0, gzip", [.gzip]),
            ("*", [.br, .gzip]),
            ("*;q=0, gzip;q=0.001", [.gzip]), ("*;q=0", []), ("gzip;q=0.5, identity", []),
            ("gzip;q=0.5, identity;q=0.5", [.gzip]),
            ("gzip, identity;q=0", [.gzip]), ("gzip;q=1.000", [.gzip]), ("gzip;q=1.001", []), ("gzip;q=2", []),
            ("gzip;q=", []), ("gzip;q=0.0001", []), ("gzip;q=-1", []), ("gzip;q=0.", []), ("gzip;x=y", [.gzip]),
            (",,gzip,,", [.gzip]),
        ] as [(String?, [ContentCoding])])
    func `codings are taken by their quality values`(value: String?, expected: [ContentCoding]) {
        var fields = HTTPFields()
        if let value { fields.append("Accept-Encoding", value) }
        #expect(ContentCoding.accepted(fields) == expected)
    }

    @Test func `several fields are one list`() {
        #expect(ContentCoding.accepted(["Accept-Encoding": "br;q=0.1", "accept-encoding": "gzip"]) == [.gzip, .br])
    }
}
