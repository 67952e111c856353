import Configuration
import HTTP1
import Testing

@testable import Admission

@Suite struct ForwardedHeadersTests {
    private static let trusted = TrustedProxies(networks: [IPNetwork("10.0.0.0/8")!, IPNetwork("::1")!], unix: true)

    /// - Parameter address: of the other end; `nil`: a Unix socket.
    private func forwarded(
        _ fields: HTTPFields, from address: String?, isSecure: Bool = false, trusted: TrustedProxies = Self.trusted
    ) -> ForwardedHeaders {
        ForwardedHeaders(
            fields, host: Authority("example.com:8080")!,
            arrival: Arrival(
                peer: address.flatMap { IPAddress($0) }, listenerIsSecure: isSecure, trustedProxies: trusted))
    }

    @Test(arguments: ["192.0.2.1", nil])
    func `a peer that is not trusted is not believed`(_ address: String?) {
        let result = self.forwarded(
            [
                "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example",
                "X-Forwarded-Port": "1", "X-Real-IP": "1.2.3.4",
            ],
            from: address, trusted: TrustedProxies(networks: Self.trusted.networks))
        #expect(result.client == address.flatMap { IPAddress($0) })
        #expect(result.scheme == .http)
        #expect(result.host.text == "example.com:8080")
        #expect(!result.isFromTrustedProxy)
        let common: HTTPFields = [
            "X-Forwarded-Proto": "http", "X-Forwarded-Host": "example.com:8080", "X-Forwarded-Port": "8080",
        ]
        var expected = HTTPFields()
        if let address { expected.append("X-Forwarded-For", address) }
        expected.append(common)
        if let address { expected.append("X-Real-IP", address) }
        #expect(result.fields == expected)
    }

    @Test func `a trusted proxy is believed, and only the addresses are added to`() {
        let result = self.forwarded(
            [
                "X-Forwarded-For": "1.2.3.4", "x-forwarded-proto": "HTTPS", "X-Forwarded-Host": "a.example",
                "X-Forwarded-Port": "8443", "X-Real-IP": "6.6.6.6",
            ],
            from: "10.0.0.9")
        #expect(result.client == IPAddress("1.2.3.4"))
        #expect(result.scheme == .https)
        #expect(result.host == Authority("a.example"))
        #expect(result.isFromTrustedProxy)
        #expect(
            result.fields == [
                "X-Forwarded-For": "1.2.3.4, 10.0.0.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "a.example",
                "X-Forwarded-Port": "8443", "X-Real-IP": "1.2.3.4",
            ])
    }

    @Test func `the gateway adds what a trusted proxy did not send`() {
        let own = self.forwarded([:], from: "10.0.0.9")
        #expect(
            own.fields == [
                "X-Forwarded-For": "10.0.0.9", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "example.com:8080",
                "X-Forwarded-Port": "8080", "X-Real-IP": "10.0.0.9",
            ])
        // The port is that of the URL which the client has.
        let elsewhere = self.forwarded(["X-Forwarded-Host": "a.example", "X-Forwarded-Proto": "https"], from: "::1")
        #expect(elsewhere.fields.values("X-Forwarded-Port") == ["443"])
        #expect(self.forwarded(["X-Forwarded-Host": "a.example"], from: "::1").fields.first("X-Forwarded-Port") == "80")
    }

    @Test(arguments: [
        (["6.6.6.6, 1.2.3.4"], "1.2.3.4"), (["6.6.6.6, 1.2.3.4, 10.1.1.1"], "1.2.3.4"),
        (["6.6.6.6", "1.2.3.4", "10.1.1.1"], "1.2.3.4"), (["6.6.6.6,1.2.3.4", "10.1.1.1,10.1.1.2"], "1.2.3.4"),
        (["10.2.2.2, 10.1.1.1"], "10.2.2.2"), (["unknown, 10.1.1.1"], "10.1.1.1"), (["unknown"], "10.0.0.9"),
        (["1.2.3.4, garbage"], "10.0.0.9"), (["1.2.3.4, _hidden, 10.1.1.1"], "10.1.1.1"), ([], "10.0.0.9"),
        (["1.2.3.4:5678"], "1.2.3.4"), (["[2001:db8::1]:5678"], "2001:db8::1"), (["2001:db8::1,, ::1"], "2001:db8::1"),
        (["[2001:DB8::1]"], "2001:db8::1"), (["\"[2001:db8::1]:5678\""], "2001:db8::1"), (["fe80::1%eth0"], "fe80::1"),
        (["[fe80::1%25eth0]:80"], "fe80::1"), (["::ffff:1.2.3.4"], "1.2.3.4"), (["::ffff:10.0.0.1"], "10.0.0.1"),
        ([""], "10.0.0.9"), ([","], "10.0.0.9"), (["1.2.3.4:99999"], "10.0.0.9"), (["1.2.3"], "10.0.0.9"),
        (["\""], "10.0.0.9"),
        (["\"\""], "10.0.0.9"), (["%"], "10.0.0.9"), (["%]"], "10.0.0.9"), (["[::1"], "10.0.0.9"),
    ])
    func `the client is the rightmost untrusted address`(_ values: [String], _ client: String) {
        var fields = HTTPFields()
        for value in values { fields.append("X-Forwarded-For", value) }
        let result = self.forwarded(fields, from: "10.0.0.9")
        #expect(result.client == IPAddress(client))
        #expect(result.fields.values("X-Real-IP") == [client])
    }

    @Test func `peers on a Unix socket may be trusted`() {
        let result = self.forwarded(
            ["X-Forwarded-For": "6.6.6.6, 1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "a.example"],
            from: nil)
        #expect(result.client == IPAddress("1.2.3.4"))
        #expect(
            result.fields == [
                "X-Forwarded-For": "6.6.6.6, 1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "a.example",
                "X-Forwarded-Port": "443", "X-Real-IP": "1.2.3.4",
            ])
        let silent = self.forwarded([:], from: nil)
        #expect(silent.client == nil)
        #expect(!silent.fields.has("X-Forwarded-For"))
        #expect(!silent.fields.has("X-Real-IP"))
        #expect(self.forwarded(["X-Forwarded-For": "garbage"], from: nil).client == nil)
    }

    @Test(arguments: [
        ("1.2.3.4, 10.0.0.1", "https, http", "https"), ("6.6.6.6, 1.2.3.4, 10.0.0.1", "https, http, https", "http"),
        ("6.6.6.6, 1.2.3.4", "wss", "https"), ("1.2.3.4", "https, http", "http"), ("1.2.3.4", "WS", "http"),
        ("", "https", "https"), ("", "http, https", "https"), ("garbage", "https", "https"),
        ("1.2.3.4", "gopher", "http"), ("1.2.3.4", "https http", "http"), ("1.2.3.4", "", "http"),
        ("1.2.3.4, 10.0.0.1", "gopher, https", "http"),
    ])
    func `with one scheme for each hop the client's counts`(_ addresses: String, _ schemes: String, _ scheme: String) {
        for names in [schemes.split(separator: ",").map(String.init), [schemes]] {
            var fields: HTTPFields = ["X-Forwarded-For": addresses]
            for name in names { fields.append("X-Forwarded-Proto", name) }
            let result = self.forwarded(fields, from: "::1")
            #expect(result.scheme.rawValue == scheme)
            #expect(result.fields.values("X-Forwarded-Proto") == [scheme])
        }
    }

    @Test(arguments: [
        ("1.2.3.4, 10.0.0.1", "a.example, b.example", "a.example"), ("1.2.3.4", "a.example, a.example", "a.example"),
        ("1.2.3.4", "evil.example, a.example:8443", "a.example:8443"), ("1.2.3.4", "A.example:", "A.example"),
        ("1.2.3.4", "[::1]:80", "[::1]:80"), ("1.2.3.4", "a b", "example.com:8080"),
        ("1.2.3.4", "a.example/x", "example.com:8080"), ("1.2.3.4", "u@a.example", "example.com:8080"),
        ("1.2.3.4", "a.example:x", "example.com:8080"),
    ])
    func `one host is passed on`(_ addresses: String, _ hosts: String, _ host: String) {
        let result = self.forwarded(["X-Forwarded-For": addresses, "X-Forwarded-Host": hosts], from: "::1")
        #expect(result.host.text == host)
        #expect(result.fields.values("X-Forwarded-Host") == [host])
    }

    @Test(arguments: [
        ("443", "443"), ("1, 8443", "8443"), ("0", "8080"), ("65536", "8080"), ("+1", "8080"), ("x", "8080"),
        ("", "8080"),
    ])
    func `one port is passed on`(_ ports: String, _ port: String) {
        let result = self.forwarded(["X-Forwarded-For": "1.2.3.4", "X-Forwarded-Port": ports], from: "::1")
        #expect(result.fields.values("X-Forwarded-Port") == [port])
    }

    @Test func `a proxy may say that the client came without TLS`() {
        let result = self.forwarded(["X-Forwarded-Proto": "http"], from: "10.0.0.1", isSecure: true)
        #expect(result.scheme == .http)
        #expect(result.fields.values("X-Forwarded-Proto") == ["http"])
        // It may only not know what the one before it was spoken to with.
        #expect(result.schemes == ["http", "https"])
        #expect(self.forwarded([:], from: "10.0.0.1", isSecure: true).schemes == ["https"])
        #expect(self.forwarded(["X-Forwarded-Proto": "https"], from: "10.0.0.1").schemes == ["https"])
        #expect(self.forwarded(["X-Forwarded-Proto": "http"], from: "192.0.2.1", isSecure: true).schemes == ["https"])
    }

    @Test(arguments: [
        (["abc"], "10.0.0.1" as String?, "abc" as String?), (["abc"], nil, "abc"), (["abc"], "192.0.2.1", nil),
        ([], "10.0.0.1", nil),
        ([""], "10.0.0.1", nil), (["a", "b"], "10.0.0.1", nil),
    ])
    func `a trusted proxy names the request`(_ values: [String], _ peer: String?, _ id: String?) {
        var fields = HTTPFields()
        for value in values { fields.append("x-request-id", value) }
        let arrival = Arrival(
            peer: peer.flatMap { IPAddress($0) }, listenerIsSecure: false, trustedProxies: Self.trusted)
        #expect(ForwardedHeaders.requestID(of: fields, arrival) == id)
    }
}

extension ForwardedHeaders {
    /// What a backend gets.
    fileprivate var fields: HTTPFields {
        var head = HeadWriter(request: "GET", "/")
        self.append(to: &head)
        return readRequest(head.finished()).fields
    }
}
