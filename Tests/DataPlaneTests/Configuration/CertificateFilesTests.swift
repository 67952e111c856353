import Configuration
import System
import TLS
import TestSupport
import Testing

@testable import DataPlane

@Suite struct CertificateFilesTests {
    private static func client(_ backend: BackendSettings) throws -> TLSClientSettings? {
        var known: [String: TrustedAuthorities] = [:]
        return try CertificateFiles.client(backend, FileSet(), &known)
    }

    private static func problems(in configuration: GatewayConfiguration) -> [String] {
        CertificateFiles.findings(in: configuration).problems
    }

    private let missing = "/nonexistent/gateway"

    private func configuration(
        _ tls: ListenerSettings.TLS?, _ change: (inout BackendSettings) -> Void = { _ in }
    ) -> GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.listeners = [ListenerSettings(address: .tcp(host: "127.0.0.1", port: 8443), tls: tls)]
        let address = Address.tcp(host: "10.0.0.1", port: 443)
        var backend = BackendSettings(
            name: "chat",
            kind: .websocket([WebSocketEndpoint(address: address, tls: true, authority: "10.0.0.1", path: .client)]))
        change(&backend)
        configuration.backends["chat"] = backend
        return configuration
    }

    @Test func `a configuration without files has no problems`() {
        #expect(Self.problems(in: self.configuration(nil)) == [])
        let tls = ListenerSettings.TLS(identity: .selfSigned(names: ["localhost", "127.0.0.1"]))
        #expect(Self.problems(in: self.configuration(tls)) == [])
        #expect(Self.problems(in: GatewayConfiguration()) == [])
    }

    @Test func `every missing file is a line`() {
        let files = [CertificateFiles(chain: self.missing + ".pem", key: self.missing + ".key")]
        let configuration = self.configuration(ListenerSettings.TLS(identity: .files(files))) {
            $0.tls.ca = self.missing + ".ca"
        }
        #expect(
            Self.problems(in: configuration) == [
                "listener 127.0.0.1:8443: cannot read \(self.missing).pem: No such file or directory",
                "backend chat: cannot read \(self.missing).ca: No such file or directory",
            ])
    }

    @Test func `the certificate for endpoints is read, and watched, where one has TLS`() throws {
        let pair = CertificateFiles(chain: self.missing + ".pem", key: self.missing + ".key")
        let configuration = self.configuration(nil) { $0.tls.certificate = pair }
        #expect(
            Self.problems(in: configuration) == [
                "backend chat: cannot read \(self.missing).pem: No such file or directory"
            ])
        #expect(DataPlane.CertificateFiles.files(of: configuration) == [pair.chain, pair.key])
        let plain = self.configuration(nil) {
            $0.kind = .tcp([TCPEndpoint(address: .tcp(host: "10.0.0.1", port: 1))], message: .binary)
            $0.tls.certificate = pair
        }
        #expect(Self.problems(in: plain) == [])
        #expect(DataPlane.CertificateFiles.files(of: plain) == [])
    }

    @Test func `authorities of clients are read`() {
        var tls = ListenerSettings.TLS(identity: .selfSigned(names: ["localhost"]))
        tls.clientCA = self.missing
        #expect(
            Self.problems(in: self.configuration(tls)) == [
                "listener 127.0.0.1:8443: cannot read \(self.missing): No such file or directory"
            ])
    }

    @Test func `a file that is not a certificate is named`() throws {
        let path = temporaryPath(".pem")
        defer { removeFile(path) }
        #expect(try OutputFile.appending(to: path).append(Array("not a certificate\n".utf8)).failure == nil)
        let tls = ListenerSettings.TLS(identity: .files([CertificateFiles(chain: path, key: path)]))
        let problems = Self.problems(in: self.configuration(tls) { $0.tls.ca = path })
        #expect(problems.count == 2)
        #expect(problems.allSatisfy { $0.contains(path) })
    }

    @Test func `authorities matter only with TLS`() throws {
        let plain = self.configuration(nil) {
            $0.kind = .tcp([TCPEndpoint(address: .tcp(host: "10.0.0.1", port: 1))], message: .binary)
            $0.tls.ca = self.missing
        }
        #expect(Self.problems(in: plain) == [])
        #expect(try Self.client(BackendSettings(name: "echo", kind: .builtin(.echo))) == nil)
        let encrypted = BackendSettings(
            name: "x", kind: .tcp([TCPEndpoint(address: .tcp(host: "10.0.0.1", port: 1), tls: true)], message: .text))
        let settings = try #require(try Self.client(encrypted))
        #expect(settings.verify)
        #expect(!settings.offersHTTP)
    }
}
