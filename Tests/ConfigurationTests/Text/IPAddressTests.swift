import Configuration
import Testing

struct IPAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("0:0:0:1:0:0:0:0", "0:0:0:1::"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("::ffff:192.0.2.1", "192.0.2.1"), ("::ffff:c000:201", "192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("fe80::00a0", "fe80::a0"),
    ])
    func `an address is read, and written canonically`(text: String, canonical: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == canonical)
        #expect(IPAddress(canonical) == address)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "080.1.1.1", "1.2.3.", ".1.2.3", "1.2.3.+4", "1.2.3.-4",
        " 1.2.3.4", "1.2.3.4 ", "0x7f.0.0.1", "a.b.c.d", "１.2.3.4", ":", ":::", "::1::", "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1::2:3:4:5:6:7:8", ":1:2:3:4:5:6:7:8", "12345::", "g::", "+1::", "-1::", "::1.2.3", "1.2.3.4::", "::1.2.3.4:1",
        "fe80::1%eth0", "[::1]", "::1/64", "1:2:3:4:5:6:7:1.2.3.4", "1::2:", ":1::2",
    ])
    func `text that is not an address is refused`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func `an IPv4 address equals its mapped form`() {
        #expect(IPAddress("::ffff:10.0.0.1") == IPAddress(ipv4: 0x0A00_0001))
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.0.0.0/8"), ("10.1.2.3/8", "10.0.0.0/8"), ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3/32", "10.1.2.3"),
        ("0.0.0.0/0", "0.0.0.0/0"), ("::/0", "::/0"), ("fd00::1/8", "fd00::/8"), ("::1", "::1"), ("::1/128", "::1"),
        ("2001:db8:0:1:ffff::/65", "2001:db8:0:1:8000::/65"), ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("2001:db8::1/64", "2001:db8::/64"),
    ])
    func `a network is read without the bits beyond its prefix`(text: String, canonical: String) throws {
        let network = try #require(IPNetwork(text))
        #expect(network.description == canonical)
    }

    @Test(arguments: [
        "", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8/8", "10/8", "a/8",
    ])
    func `text that is not a network is refused`(text: String) {
        #expect(IPNetwork(text) == nil)
    }

    @Test func `a network contains its addresses and no others`() throws {
        let private10 = try #require(IPNetwork("10.0.0.0/8"))
        #expect(private10.contains(try #require(IPAddress("10.255.0.1"))))
        #expect(private10.contains(try #require(IPAddress("::ffff:10.255.0.1"))))
        #expect(!private10.contains(try #require(IPAddress("11.0.0.1"))))
        let local = try #require(IPNetwork("fd00:0:0:0:8000::/65"))
        #expect(local.contains(try #require(IPAddress("fd00::ffff:0:0:1"))))
        #expect(!local.contains(try #require(IPAddress("fd00::1"))))
        let everyIPv4 = try #require(IPNetwork("0.0.0.0/0"))
        #expect(everyIPv4.contains(try #require(IPAddress("203.0.113.9"))))
        #expect(!everyIPv4.contains(try #require(IPAddress("2001:db8::1"))))
    }

    @Test func `networks let their addresses in, and none let all in`() throws {
        let networks = try ["10.0.0.0/8", "2001:db8::/32"].map { try #require(IPNetwork($0)) }
        #expect(networks.allows(IPAddress("10.1.2.3")) && networks.allows(IPAddress("2001:db8::1")))
        #expect(!networks.allows(IPAddress("11.1.2.3")) && !networks.allows(nil))
        #expect([IPNetwork]().allows(IPAddress("11.1.2.3")) && [IPNetwork]().allows(nil))
    }

    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"), ("fe80::1", "fe80::/64"),
    ])
    func `a subscriber is an IPv4 address or the 64 of an IPv6 address`(text: String, subscriber: String) throws {
        #expect(try #require(IPAddress(text)).subscriber.description == subscriber)
    }
}
