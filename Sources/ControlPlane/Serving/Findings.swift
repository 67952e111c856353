internal import Configuration
internal import DataPlane
internal import System

/// What a configuration refers to: files, host names of listeners, groups. It is looked up before the configuration is put in force,
/// because a file system or a name server may be slow.
struct Findings {
    var files = FileSet()
    /// Those with the keys and users of credentials.
    var credentials = FileSet()
    /// The addresses of listeners that have a host name and are not open yet.
    var addresses: [Address: Result<[SocketAddress], ResolveError>] = [:]
    /// The numbers of the groups that listeners name; `nil` if there is no such group.
    var groups: [String: Result<UInt32?, FileError>] = [:]

    /// Looks everything up without blocking the control thread.
    ///
    /// - Parameter readsCredentials: the files with keys and users, too.
    static func find(
        _ configuration: GatewayConfiguration, _ listeners: ListenerSet, _ reader: FileReader, _ names: NameRefresh,
        readsCredentials: Bool = true, then: @escaping (Findings) -> Void
    ) {
        reader.read(CertificateFiles.files(of: configuration)) { files in
            reader.read(readsCredentials ? CredentialFiles.paths(of: configuration) : []) { credentials in
                names.lookUp(listeners.addressesToLookUp(configuration.listeners)) { addresses in
                    reader.look(upGroups: configuration.listeners.compactMap(\.access?.group)) { groups in
                        then(
                            Findings(files: files, credentials: credentials, addresses: addresses, groups: groups))
                    }
                }
            }
        }
    }

    /// Looks everything up at start, when the control thread may wait.
    static func now(
        _ configuration: GatewayConfiguration, _ listeners: ListenerSet, _ reader: FileReader, _ names: NameRefresh,
        on loop: EventLoop
    ) -> Findings {
        var found: Findings?
        self.find(configuration, listeners, reader, names) { found = $0 }
        while true {
            if let found { return found }
            loop.turn()
        }
    }
}
