public import Configuration
public import System
public import TLS

/// The certificates, keys and authorities in the files that a configuration names.
///
/// They are read once for all workers; each worker makes libssl objects of its own from them.
public enum CertificateFiles {
    /// Checks all of them for `gateway check`. Reading blocks for as long as it would in a gateway.
    ///
    /// - Returns: a line for each mistake, and for each thing that is allowed but probably not meant.
    public static func findings(
        in configuration: GatewayConfiguration
    ) -> (problems: [String], warnings: [String]) {
        var problems: [String] = []
        var warnings: [String] = []
        func attempt(_ body: () throws -> Void) {
            do { try body() } catch { problems.append("\(error)") }
        }
        attempt {
            let files = try FileReader.readNow(self.files(of: configuration))
            var authorities: [String: TrustedAuthorities] = [:]
            for listener in configuration.listeners {
                attempt {
                    let settings = try self.server(listener, files)
                    warnings += self.warnings(of: listener.tls, settings, "listener \(listener.address)")
                }
            }
            if let admin = configuration.admin {
                attempt { warnings += self.warnings(of: admin.tls, try self.server(admin, files), "admin") }
            }
            for name in configuration.backends.keys.sorted() {
                let backend = configuration.backends[name]!
                attempt {
                    let settings = try self.client(backend, files, &authorities)
                    guard let pair = backend.tls.certificate, let certificate = settings?.certificate else { return }
                    warnings += self.warning(of: certificate, pair, "backend \(name)").map { [$0] } ?? []
                }
            }
            if let cluster = configuration.cluster {
                attempt {
                    let settings = try self.client(cluster, files)
                    guard let pair = cluster.tls.certificate, let certificate = settings?.certificate else { return }
                    warnings += self.warning(of: certificate, pair, "cluster").map { [$0] } ?? []
                }
            }
            var asked: [ForwardSettings] = []
            for forward in configuration.routes.compactMap(\.forward)
            where !asked.contains(where: { $0.url == forward.url && $0.ca == forward.ca }) {
                asked.append(forward)
                attempt { _ = try self.client(forward.url, ca: forward.ca, files) }
            }
        }
        return (problems, warnings)
    }

    /// Warnings of certificates that no client would ever be shown, and of those that end soon.
    private static func warnings(
        of tls: ListenerSettings.TLS?, _ settings: TLSServerSettings?, _ place: String
    ) -> [String] {
        guard let settings, case .files(let files)? = tls?.identity else { return [] }
        let shadowed = settings.shadowed.map { index, name, kind, by in
            "\(place): \(files[index].chain) is never shown for \(name): \(files[by].chain), which is \(kind) too, comes first"
        }
        return shadowed + zip(settings.certificates, files).compactMap { self.warning(of: $0, $1, place) }
    }

    /// What to say of a certificate that expires within 14 days, or has expired; `nil`: nothing.
    private static func warning(
        of certificate: Certificate, _ pair: Configuration.CertificateFiles, _ place: String
    ) -> String? {
        let left = certificate.notAfter - WallClock.sinceEpoch().components.seconds
        guard left < 14 * 86_400 else { return nil }
        let end = WallClock.httpDate(seconds: certificate.notAfter)
        return left < 0
            ? "\(place): \(pair.chain) has expired, on \(end): peers refuse it"
            : "\(place): \(pair.chain) expires in \(left / 86_400) days, on \(end)"
    }

    /// The files that a configuration names, each once, in order of use.
    public static func files(of configuration: GatewayConfiguration) -> [String] {
        var paths: [String] = []
        for tls in configuration.listeners.compactMap(\.tls) + [configuration.admin?.tls].compactMap({ $0 }) {
            if case .files(let files) = tls.identity { paths += files.flatMap { [$0.chain, $0.key] } }
            paths += [tls.clientCA].compactMap { $0 }
        }
        for name in configuration.backends.keys.sorted() {
            let backend = configuration.backends[name]!
            guard self.speaksTLS(backend) else { continue }
            paths += [backend.tls.ca, backend.tls.certificate?.chain, backend.tls.certificate?.key].compactMap { $0 }
        }
        if let cluster = configuration.cluster, cluster.server.tls {
            paths += [cluster.tls.ca, cluster.tls.certificate?.chain, cluster.tls.certificate?.key].compactMap { $0 }
        }
        paths += configuration.routes.compactMap { $0.forward?.ca }
        var seen: Set<String> = []
        return paths.filter { seen.insert($0).inserted }
    }

    /// The TLS settings of a listener; `nil` without TLS. Throws what is wrong with its files.
    public static func server(
        _ listener: ListenerSettings, _ files: FileSet
    ) throws(StartError) -> TLSServerSettings? {
        try self.server(listener.tls, of: listener.address.description, "listener \(listener.address)", files)
    }

    /// The TLS settings of the admin address; `nil` without TLS. Throws what is wrong with its files.
    public static func server(
        _ admin: GatewayConfiguration.Admin, _ files: FileSet
    ) throws(StartError) -> TLSServerSettings? {
        try self.server(admin.tls, of: "admin \(admin.address)", "admin", files)
    }

    /// - Parameters:
    ///   - identity: distinguishes it from others.
    ///   - place: where it is, for messages.
    private static func server(
        _ tls: ListenerSettings.TLS?, of identity: String, _ place: String, _ files: FileSet
    ) throws(StartError) -> TLSServerSettings? {
        guard let tls else { return nil }
        do throws(TLSError) {
            var certificates: [Certificate] = []
            switch tls.identity {
            case .selfSigned(let names): certificates = [try Certificate.selfSigned(names: names)]
            case .files(let pairs):
                for pair in pairs { certificates.append(try self.certificate(pair, files)) }
            }
            return TLSServerSettings(
                identity: identity, certificates: certificates,
                minimum: tls.minimum == .tls13 ? .v1_3 : .v1_2,
                clientAuthorities: try self.authorities(tls.clientCA, files),
                demandsCertificate: tls.clientAuth == .required)
        } catch {
            throw StartError("\(place): \(error)")
        }
    }

    /// The TLS settings for a backend's endpoints; `nil` if none has TLS. Throws what is wrong with its files.
    ///
    /// - Parameter known: the authorities of earlier backends by file, so that none is read twice.
    public static func client(
        _ backend: BackendSettings, _ files: FileSet, _ known: inout [String: TrustedAuthorities]
    ) throws(StartError) -> TLSClientSettings? {
        guard self.speaksTLS(backend) else { return nil }
        let isWebSocket = if case .websocket = backend.kind { true } else { false }
        do throws(TLSError) {
            var authorities = backend.tls.ca.flatMap { known[$0] }
            if authorities == nil { authorities = try self.authorities(backend.tls.ca, files) }
            if let path = backend.tls.ca { known[path] = authorities }
            var settings = TLSClientSettings(
                authorities: authorities, verify: backend.tls.verify, offersHTTP: isWebSocket)
            if let pair = backend.tls.certificate { settings.certificate = try self.certificate(pair, files) }
            return settings
        } catch {
            throw StartError("backend \(backend.name): \(error)")
        }
    }

    /// The TLS settings for the server of `cluster`; `nil` without TLS. Throws what is wrong with its files.
    public static func client(_ cluster: ClusterSettings, _ files: FileSet) throws(StartError) -> TLSClientSettings? {
        guard cluster.server.tls else { return nil }
        do throws(TLSError) {
            var settings = TLSClientSettings(
                authorities: try self.authorities(cluster.tls.ca, files), verify: cluster.tls.verify)
            if let pair = cluster.tls.certificate { settings.certificate = try self.certificate(pair, files) }
            return settings
        } catch {
            throw StartError("cluster: \(error)")
        }
    }

    /// The TLS settings for an auth service; `nil` without TLS. Throws what is wrong with the file of its authorities.
    public static func client(_ url: WebURL, ca: String?, _ files: FileSet) throws(StartError) -> TLSClientSettings? {
        guard url.tls else { return nil }
        do throws(TLSError) {
            return TLSClientSettings(authorities: try self.authorities(ca, files), offersHTTP: true)
        } catch {
            throw StartError("auth service https://\(url.authority): \(error)")
        }
    }

    private static func speaksTLS(_ backend: BackendSettings) -> Bool {
        switch backend.kind {
        case .builtin, .tokens: false
        case .websocket(let endpoints): endpoints.contains(where: \.tls)
        case .tcp(let endpoints, _): endpoints.contains(where: \.tls)
        }
    }

    private static func certificate(
        _ pair: Configuration.CertificateFiles, _ files: FileSet
    ) throws(TLSError) -> Certificate {
        try Certificate(
            chainPEM: try self.read(pair.chain, files), keyPEM: try self.read(pair.key, files), chainName: pair.chain,
            keyName: pair.key)
    }

    private static func authorities(_ path: String?, _ files: FileSet) throws(TLSError) -> TrustedAuthorities? {
        guard let path else { return nil }
        return try TrustedAuthorities(pem: try self.read(path, files), name: path)
    }

    private static func read(_ path: String, _ files: FileSet) throws(TLSError) -> [UInt8] {
        do throws(FileError) {
            return try files.contents(of: path)
        } catch {
            throw TLSError(.configuration, "cannot read \(path): \(error)")
        }
    }
}
