package import Configuration
internal import EventLoop
internal import TLS

/// Reads the certificates, keys and authorities that a configuration names.
///
/// Once, before the workers start: each of them makes its own libssl objects from these values.
package enum Credentials {
    /// Reads everything and forgets it: for `gateway check`.
    ///
    /// - Returns: what is wrong, a line for each.
    package static func problems(in configuration: GatewayConfiguration) -> [String] {
        var problems: [String] = []
        func attempt(_ body: () throws -> Void) {
            do { try body() } catch { problems.append("\(error)") }
        }
        for listener in configuration.listeners { attempt { _ = try self.server(listener) } }
        for name in configuration.backends.keys.sorted() {
            attempt { _ = try self.client(configuration.backends[name]!) }
        }
        return problems
    }

    /// How a listener speaks TLS; `nil`: not at all.
    static func server(_ listener: ListenerSettings) throws(StartError) -> TLSServerSettings? {
        guard let tls = listener.tls else { return nil }
        let place = "listener \(listener.address)"
        do throws(TLSError) {
            var certificates: [Certificate] = []
            switch tls.identity {
            case .selfSigned(let names): certificates = [try Certificate.selfSigned(names: names)]
            case .files(let files):
                for file in files {
                    certificates.append(
                        try Certificate(
                            chainPEM: try self.read(file.chain), keyPEM: try self.read(file.key), chainName: file.chain,
                            keyName: file.key))
                }
            }
            return TLSServerSettings(
                identity: listener.address.description, certificates: certificates,
                minimum: tls.minimum == .tls13 ? .v1_3 : .v1_2, clientAuthorities: try self.authorities(tls.clientCA))
        } catch {
            throw StartError("\(place): \(error)")
        }
    }

    /// How a backend's endpoints are spoken TLS to; `nil`: none of them is.
    static func client(_ backend: BackendSettings) throws(StartError) -> TLSClientSettings? {
        let usesTLS: Bool
        let isWebSocket: Bool
        switch backend.kind {
        case .builtin: return nil
        case .websocket(let endpoints): (usesTLS, isWebSocket) = (endpoints.contains(where: \.tls), true)
        case .tcp(let endpoints, _): (usesTLS, isWebSocket) = (endpoints.contains(where: \.tls), false)
        }
        guard usesTLS else { return nil }
        do throws(TLSError) {
            return TLSClientSettings(
                authorities: try self.authorities(backend.tls.ca), verify: backend.tls.verify, offersHTTP: isWebSocket)
        } catch {
            throw StartError("backend \(backend.name): \(error)")
        }
    }

    private static func authorities(_ path: String?) throws(TLSError) -> TrustedAuthorities? {
        guard let path else { return nil }
        return try TrustedAuthorities(pem: try self.read(path), name: path)
    }

    private static func read(_ path: String) throws(TLSError) -> [UInt8] {
        do throws(SystemError) {
            return try FileContents.read(path)
        } catch {
            throw TLSError(.configuration, "cannot read \(path): \(error.reason)")
        }
    }
}
