import Configuration
import HTTP1
import Testing

@testable import Proxy

@Suite struct ForwardedHeadersTests {
    private static let trusted = [
        IPNetwork(address: IPAddress("10.0.0.0")!, prefix: 104), IPNetwork(address: IPAddress("::1")!, prefix: 128),
    ]

    private func forwarded(_ fields: HTTPFields, from address: String?, isSecure: Bool = false) -> ForwardedHeaders {
        ForwardedHeaders(
            fields, host: "example.com:8080",
            arrival: Arrival(
                clientAddress: address.flatMap { IPAddress($0) }, listenerIsSecure: isSecure,
                trustedProxies: Self.trusted))
    }

    @Test func anUntrustedAddressIsNotBelieved() {
        let result = self.forwarded(
            ["X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"],
            from: "192.0.2.1")
        #expect(result.client == IPAddress("192.0.2.1"))
        #expect(!result.isSecure)
        #expect(!result.isFromTrustedProxy)
        #expect(
            result.fields == [
                "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "example.com:8080",
            ])
    }

    @Test func aTrustedProxyIsBelievedAndAddedTo() {
        let result = self.forwarded(
            ["X-Forwarded-For": "1.2.3.4", "x-forwarded-proto": "HTTPS", "X-Forwarded-Host": "example.com"],
            from: "10.0.0.9")
        #expect(result.client == IPAddress("1.2.3.4"))
        #expect(result.isSecure)
        #expect(result.isFromTrustedProxy)
        #expect(
            result.fields == [
                "X-Forwarded-For": "1.2.3.4, 10.0.0.9", "X-Forwarded-Proto": "HTTPS, http",
                "X-Forwarded-Host": "example.com, example.com:8080",
            ])
    }

    @Test(arguments: [
        (["6.6.6.6, 1.2.3.4"], "1.2.3.4"), (["6.6.6.6, 1.2.3.4, 10.1.1.1"], "1.2.3.4"),
        (["6.6.6.6", "1.2.3.4", "10.1.1.1"], "1.2.3.4"),
        (["10.2.2.2, 10.1.1.1"], "10.2.2.2"), (["unknown, 10.1.1.1"], "10.1.1.1"), (["unknown"], "10.0.0.9"),
        ([], "10.0.0.9"),
        (["1.2.3.4:5678"], "1.2.3.4"), (["[2001:db8::1]:5678"], "2001:db8::1"), (["2001:db8::1,, ::1"], "2001:db8::1"),
        ([""], "10.0.0.9"),
    ])
    func theClientIsTheRightmostUntrustedAddress(_ values: [String], _ client: String) {
        var fields = HTTPFields()
        for value in values { fields.append("X-Forwarded-For", value) }
        #expect(self.forwarded(fields, from: "10.0.0.9").client == IPAddress(client))
    }

    @Test func theSchemeIsTheClientsWhereThereIsOneForEachHop() {
        func isSecure(_ addresses: String, _ schemes: String) -> Bool {
            self.forwarded(["X-Forwarded-For": addresses, "X-Forwarded-Proto": schemes], from: "::1").isSecure
        }
        #expect(isSecure("1.2.3.4, 10.0.0.1", "https, http"))
        #expect(!isSecure("6.6.6.6, 1.2.3.4, 10.0.0.1", "https, http, https"))
        #expect(isSecure("6.6.6.6, 1.2.3.4", "wss"))
        #expect(!isSecure("1.2.3.4", "https, http"))
    }

    @Test func aListenerWithTLSIsSecureWhateverIsSaid() {
        let result = self.forwarded(["X-Forwarded-Proto": "http"], from: "10.0.0.1", isSecure: true)
        #expect(result.isSecure)
        #expect(result.fields.first("X-Forwarded-Proto") == "http, https")
    }

    @Test func aUnixSocketHasNoAddress() {
        let result = self.forwarded(["X-Forwarded-For": "1.2.3.4"], from: nil)
        #expect(result.client == nil)
        #expect(result.fields == ["X-Forwarded-Proto": "http", "X-Forwarded-Host": "example.com:8080"])
    }
}
