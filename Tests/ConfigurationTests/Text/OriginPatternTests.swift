import Configuration
import Testing

struct OriginPatternTests {
    @Test(arguments: [
        ("https://app.example.com", "https://app.example.com"),
        ("HTTPS://App.example.com:443", "https://app.example.com"),
        ("http://[::1]:3000", "http://[::1]:3000"), ("http://[0:0::1]:80", "http://[::1]"),
        ("https://*.example.com:8443", "https://*.example.com:8443"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
    ])
    func `an origin is printed as it can be written`(text: String, shown: String) throws {
        let origin = try OriginPattern(parsing: text)
        #expect(origin.description == shown)
        #expect(try OriginPattern(parsing: shown) == origin)
        #expect(OriginPolicy.list([origin]).description == "[\(shown)]")
    }
}
