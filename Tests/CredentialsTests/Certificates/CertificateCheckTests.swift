import Configuration
import HTTP1
import Testing

@testable import Credentials

struct CertificateCheckTests {
    /// The name that matched.
    private static func subject(
        _ names: [CertificateName], hosts: [String] = [], uris: [String] = [], commonName: String? = nil
    ) -> String? {
        var settings = CertificateSettings()
        settings.names = names
        let alternatives =
            hosts.isEmpty && uris.isEmpty
            ? nil : CertificateIdentity.AlternativeNames(hosts: hosts, uris: uris)
        let identity = CertificateIdentity(subject: "CN=x", commonName: commonName, alternativeNames: alternatives)
        if case .granted(let grant) = CertificateCheck(settings).verdict(on: identity) { return grant.subject }
        return nil
    }

    @Test func `a host name matches in any case, and alone`() {
        let names = [CertificateName.host(.exact("device-1.example.com"))]
        #expect(Self.subject(names, hosts: ["a.example", "Device-1.Example.COM"]) == "Device-1.Example.COM")
        for host in ["device-1.example.com.evil", "xdevice-1.example.com", "device-1.example", "example.com", "*"] {
            #expect(Self.subject(names, hosts: [host]) == nil, "\(host)")
        }
    }

    @Test func `a wildcard matches names below its domain, and no wildcard`() {
        let names = [CertificateName.host(.subdomains(of: "devices.example.com"))]
        #expect(Self.subject(names, hosts: ["a.devices.example.com"]) == "a.devices.example.com")
        #expect(Self.subject(names, hosts: ["a.b.devices.example.com"]) == "a.b.devices.example.com")
        for host in [
            "devices.example.com", ".devices.example.com", "*.devices.example.com", "adevices.example.com",
            "a.devices.example.com\0", "a.devices.example.com.", "é.devices.example.com",
        ] {
            #expect(Self.subject(names, hosts: [host]) == nil, "\(host)")
        }
    }

    @Test func `a URI matches byte by byte, and is no host name`() {
        let names = [CertificateName.text("spiffe://example.com/device")]
        #expect(Self.subject(names, uris: ["spiffe://example.com/device"]) == "spiffe://example.com/device")
        #expect(Self.subject(names, uris: ["spiffe://example.com/Device"]) == nil)
        #expect(Self.subject(names, hosts: ["spiffe://example.com/device"]) == nil)
        #expect(Self.subject([.host(.exact("example.com"))], uris: ["example.com"]) == nil)
    }

    /// RFC 6125 section 6.4.4.
    @Test func `the common name counts only where there are no alternative names`() {
        #expect(Self.subject([.host(.exact("device"))], commonName: "Device") == "Device")
        #expect(Self.subject([.text("Device 1")], commonName: "Device 1") == "Device 1")
        #expect(Self.subject([.text("Device 1")], commonName: "device 1") == nil)
        #expect(Self.subject([.host(.exact("device"))], hosts: ["other"], commonName: "device") == nil)
        let identity = CertificateIdentity(
            subject: "CN=device", commonName: "device", alternativeNames: .init(hosts: [], uris: []))
        var settings = CertificateSettings()
        settings.names = [.host(.exact("device"))]
        #expect(
            CertificateCheck(settings).verdict(on: identity)
                == .forbidden("no name of the certificate is one of the route's"))
    }

    @Test func `without names each certificate is good`() {
        #expect(Self.subject([], hosts: ["a.example", "b.example"]) == "a.example")
        #expect(Self.subject([], commonName: "Device 1") == "Device 1")
        #expect(Self.subject([]) == "CN=x")
    }

    @Test func `backends get the distinguished name, or the name that matched`() {
        var settings = CertificateSettings()
        settings.names = [.host(.exact("b.example"))]
        settings.send = [
            SentField(name: "X-Client", source: .subject), SentField(name: "X-Name", source: .name),
        ]
        var identity = CertificateIdentity(
            subject: "CN=b,O=Zoë", commonName: nil,
            alternativeNames: .init(hosts: ["a.example", "b.example"], uris: []))
        var fields = HTTPFields()
        fields.append("X-Client", utf8: "CN=b,O=Zoë")
        fields.append("X-Name", utf8: "b.example")
        #expect(
            CertificateCheck(settings).verdict(on: identity) == .granted(Grant(subject: "b.example", fields: fields)))
        identity.subject = "CN=b\r\nX-Admin: yes"
        #expect(
            CertificateCheck(settings).verdict(on: identity)
                == .refused(.malformed("the certificate's name has control characters")))
        settings.names = []
        settings.send = [SentField(name: "X-Name", source: .name)]
        let nameless = CertificateIdentity(subject: "O=x", commonName: nil, alternativeNames: nil)
        #expect(CertificateCheck(settings).verdict(on: nameless) == .granted(Grant(subject: "O=x")))
    }
}
