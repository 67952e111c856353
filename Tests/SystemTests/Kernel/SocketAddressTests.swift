import Testing

@testable import System

@Suite struct SocketAddressTests {
    static let texts: [(SocketAddress, String)] = [
        (.loopback(port: 80), "127.0.0.1:80"),
        (.ipv4(0, port: 0), "0.0.0.0:0"),
        (.ipv4(0xFFFF_FFFF, port: 65535), "255.255.255.255:65535"),
        (.ipv6(high: 0, low: 0, port: 1, scope: 0), "[::]:1"),
        (.ipv6(high: 0, low: 1, port: 443, scope: 0), "[::1]:443"),
        (.ipv6(high: 0x2001_0DB8_0000_0000, low: 0x1234, port: 9, scope: 0), "[2001:db8::1234]:9"),
        (.ipv6(high: 0, low: 0xFFFF_7F00_0001, port: 9, scope: 0), "[::ffff:127.0.0.1]:9"),
        (.unix(path: "/run/x.sock"), "unix:/run/x.sock"),
        (.abstract(name: "gateway/0/x"), "unix:@gateway/0/x"),
        (.unnamed, "unix"),
    ]

    @Test(arguments: texts) func `an address is written in its usual form`(address: SocketAddress, text: String) {
        #expect(address.description == text)
    }

    @Test(arguments: texts.map(\.0)) func `the kernel's form is read back`(address: SocketAddress) throws {
        var copy: SocketAddress?
        unsafe try address.withKernelForm { pointer, length in
            copy = unsafe SocketAddress.read { target, size in
                unsafe size.pointee = length
                unsafe UnsafeMutableRawPointer(target).copyMemory(from: pointer, byteCount: Int(length))
                return 0
            }
        }
        #expect(copy == address)
    }

    @Test func `only internet addresses have ports`() {
        #expect(SocketAddress.loopback(port: 5).port == 5)
        #expect(SocketAddress.loopback(port: 5).with(port: 6) == .loopback(port: 6))
        let ipv6 = SocketAddress.ipv6(high: 1, low: 2, port: 3, scope: 4)
        #expect(ipv6.with(port: 9) == .ipv6(high: 1, low: 2, port: 9, scope: 4))
        #expect(SocketAddress.unix(path: "/x").port == nil)
        #expect(SocketAddress.unix(path: "/x").with(port: 9) == .unix(path: "/x"))
        #expect(SocketAddress.abstract(name: "x").port == nil)
        #expect(SocketAddress.unnamed.with(port: 9) == .unnamed)
    }

    @Test func `an address that the system does not fill in is nil`() {
        #expect(unsafe SocketAddress.read { _, _ in -1 } == nil)
        // Family 0 is unknown.
        #expect(unsafe SocketAddress.read { _, _ in 0 } == nil)
    }
}
